/**
 * Makes certificates: node-forge writes them, and the keys and signatures are the system's, because node-forge knows
 * neither elliptic curves nor how to sign without holding up everything else (`docs/decisions/0021`).
 *
 * @module
 */

import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign,
  type X509Certificate,
} from "node:crypto";
import { type Asn1, type Attributes, type ByteText, forge } from "./forge.ts";

const { asn1, pki } = forge;

const SERIAL_BYTES = 16;

/** Where the parts of a version 3 certificate are that come from elsewhere, RFC 5280 §4.1. */
const FIELD = { signature: 2, issuer: 3, subject: 5, publicKey: 6 } as const;

const OID = {
  sha256WithRsa: "1.2.840.113549.1.1.11",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
} as const;

/** Everything of a certificate but who signs it. */
export interface CertificateDraft {
  /** What the subject is called. */
  readonly subject: SubjectName;
  readonly publicKey: KeyObject;
  /** Milliseconds since the epoch; seconds are what is written. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Those beside the identifiers of the two keys. */
  readonly extensions: Attributes;
}

/** A name in the sense of X.500. None may be longer than 64 characters. */
export interface SubjectName {
  readonly organizationName: string;
  readonly organizationalUnitName?: string;
  readonly commonName?: string;
}

/** Who signs. */
export interface Issuer {
  /** Null = the certificate signs itself. */
  readonly certificate: X509Certificate | null;
  /** RSA, or an elliptic curve. */
  readonly key: KeyObject;
}

/** Signs a certificate with SHA-256. @returns PEM. */
export function signCertificate(
  draft: CertificateDraft,
  { certificate, key }: Issuer,
): string {
  const issuer = certificate === null ? null : fieldsOf(certificate.raw);
  const spki = spkiOf(draft.publicKey);
  const identifier = keyIdentifier(spki);
  const authority = issuer === null ? identifier : identifierIn(issuer);
  const unsigned = pki.createCertificate();
  unsigned.serialNumber = serialNumber();
  unsigned.validity.notBefore = new Date(draft.notBefore);
  unsigned.validity.notAfter = new Date(draft.notAfter);
  unsigned.setSubject(attributesOf(draft.subject));
  unsigned.setExtensions([
    ...draft.extensions,
    { id: OID.subjectKeyIdentifier, value: octets(identifier) },
    ...authority === null
      ? []
      : [{ name: "authorityKeyIdentifier", keyIdentifier: authority }],
  ]);
  // Stand in for what node-forge cannot write, and are replaced below.
  unsigned.publicKey = { n: 1, e: 1 };
  unsigned.siginfo.algorithmOid = OID.sha256WithRsa;
  const tbs = pki.getTBSCertificate(unsigned);
  const fields = tbs.value as Asn1[];
  const algorithm = algorithmOf(key);
  fields[FIELD.signature] = algorithm;
  // Byte for byte what the authority has, whoever made it.
  fields[FIELD.issuer] = (issuer ?? fields)[FIELD.subject]!;
  fields[FIELD.publicKey] = asn1.fromDer(spki, { decodeBitStrings: false });
  const signature = sign("sha256", toBytes(asn1.toDer(tbs).getBytes()), key);
  return pem(sequence(tbs, algorithm, bits(toText(signature))));
}

/** The fields of a certificate, RFC 5280 §4.1.2. */
function fieldsOf(raw: Uint8Array): Asn1[] {
  const whole = asn1.fromDer(toText(raw), { decodeBitStrings: false });
  const [tbs] = whole.value as Asn1[];
  return tbs!.value as Asn1[];
}

/** The identifier of its key that a certificate tells; null if it tells none. */
function identifierIn(fields: readonly Asn1[]): ByteText | null {
  const oid = asn1.oidToDer(OID.subjectKeyIdentifier).getBytes();
  const last = fields.at(-1)!.value;
  const list = typeof last === "string" ? undefined : last[0]?.value;
  for (const extension of (list ?? []) as Asn1[]) {
    const parts = extension.value as Asn1[];
    if (parts[0]?.value !== oid) continue;
    return asn1.fromDer(parts.at(-1)!.value as ByteText).value as ByteText;
  }
  return null;
}

/** The hash of the bits of the key alone, RFC 5280 §4.2.1.2. */
function keyIdentifier(spki: ByteText): ByteText {
  const { value } = asn1.fromDer(spki, { decodeBitStrings: false });
  const [, key] = value as Asn1[];
  // Before the bits stands how many of the last byte are none.
  const keyBits = toBytes((key!.value as ByteText).slice(1));
  return toText(createHash("sha1").update(keyBits).digest());
}

function spkiOf(key: KeyObject): ByteText {
  const spki = key.type === "private" ? createPublicKey(key) : key;
  return toText(spki.export({ type: "spki", format: "der" }));
}

function algorithmOf({ asymmetricKeyType }: KeyObject): Asn1 {
  const { UNIVERSAL } = asn1.Class;
  const oid = (dotted: string): Asn1 =>
    asn1.create(
      UNIVERSAL,
      asn1.Type.OID,
      false,
      asn1.oidToDer(dotted).getBytes(),
    );
  return asymmetricKeyType === "ec"
    ? sequence(oid(OID.ecdsaWithSha256))
    : sequence(
      oid(OID.sha256WithRsa),
      asn1.create(UNIVERSAL, asn1.Type.NULL, false, ""),
    );
}

/** Texts are UTF-8, because `@` is no letter of a printable string. */
function attributesOf(name: SubjectName): Attributes {
  return Object.entries(name).map(([key, value]) => ({
    name: key,
    value,
    valueTagClass: asn1.Type.UTF8,
  }));
}

/** Positive, and not to be guessed. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  bytes[0] = bytes[0]! & 0x7f | 0x40;
  return bytes.toHex();
}

function sequence(...parts: readonly Asn1[]): Asn1 {
  const { UNIVERSAL } = asn1.Class;
  return asn1.create(UNIVERSAL, asn1.Type.SEQUENCE, true, parts);
}

function octets(value: ByteText): Asn1 {
  const { UNIVERSAL } = asn1.Class;
  return asn1.create(UNIVERSAL, asn1.Type.OCTETSTRING, false, value);
}

function bits(value: ByteText): Asn1 {
  const { UNIVERSAL } = asn1.Class;
  return asn1.create(UNIVERSAL, asn1.Type.BITSTRING, false, "\0" + value);
}

function pem(certificate: Asn1): string {
  const bytes = toBytes(asn1.toDer(certificate).getBytes());
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return [
    "-----BEGIN CERTIFICATE-----",
    ...lines,
    "-----END CERTIFICATE-----",
    "",
  ].join("\n");
}

function toText(bytes: Uint8Array): ByteText {
  return bytes.reduce((text, byte) => text + String.fromCharCode(byte), "");
}

function toBytes(text: ByteText): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
