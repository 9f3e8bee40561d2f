/**
 * The local certificate authority: made once, then signs certificates for the names of tasks.
 *
 * The CA's key is RSA, which node-forge makes; the keys of the leaves are P-256, whose handshakes cost a third, made by
 * WebCrypto (`docs/decisions/0021`).
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { writeFileAtomic } from "../kit/atomic_file.ts";
import {
  type Asn1,
  type Certificate,
  forge,
  type PrivateKey,
} from "./forge.ts";

const { asn1, md, pki } = forge;

const CA_BITS = 2048;
const CA_DAYS = 3650;
/** Apple's and others' limit for leaves of a private CA is 825; public ones have 398. */
const LEAF_DAYS = 397;
const DAY_MS = 86_400_000;
/** Clocks of clients may be behind. */
const BACKDATE_MS = 3_600_000;
const SERIAL_BYTES = 16;
/** OID id-ce-nameConstraints, RFC 5280 §4.2.1.10. */
const NAME_CONSTRAINTS = "2.5.29.30";

/** A certificate and its key. */
export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. A secret. */
  readonly privateKey: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** Where the authority is kept, and for whom it may sign. */
export interface AuthorityOptions {
  /** Folder of `rootCA.pem` and `rootCA-key.pem`; made with mode 0700. */
  readonly folder: string;
  /** The only top-level domain it may sign names of. */
  readonly tld: string;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** See the module. */
export class Authority {
  /** Path of the certificate that clients have to trust. */
  readonly path: string;
  readonly #certificate: Certificate;
  readonly #key: PrivateKey;
  readonly #now: () => number;

  private constructor(
    path: string,
    certificate: Certificate,
    key: PrivateKey,
    now: () => number,
  ) {
    this.path = path;
    this.#certificate = certificate;
    this.#key = key;
    this.#now = now;
  }

  /** Reads the authority, or makes it: some 100 ms, once. */
  static async open(options: AuthorityOptions): Promise<Authority> {
    const path = `${options.folder}/rootCA.pem`;
    const keyPath = `${options.folder}/rootCA-key.pem`;
    try {
      const [certificate, key] = await Promise.all([
        Deno.readTextFile(path),
        Deno.readTextFile(keyPath),
      ]);
      return new Authority(
        path,
        pki.certificateFromPem(certificate),
        pki.privateKeyFromPem(key),
        () => options.now(),
      );
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        throw new TaskmuxError(
          "E710",
          `Cannot use the certificate authority in "${options.folder}"`,
          { cause: error },
        );
      }
    }
    const { certificate, key } = await makeAuthority(options);
    await Deno.mkdir(options.folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(keyPath, pki.privateKeyToPem(key), { mode: 0o600 });
    await writeFileAtomic(path, pki.certificateToPem(certificate), {
      mode: 0o644,
    });
    return new Authority(path, certificate, key, () => options.now());
  }

  /**
   * Signs a new certificate.
   *
   * @param names DNS names and IP addresses; the first is the subject's.
   */
  async issue(names: readonly string[]): Promise<IssuedCertificate> {
    const keys = await crypto.subtle.generateKey(
      { name: "ECDSA", namedCurve: "P-256" },
      true,
      ["sign", "verify"],
    );
    const spki = bytesOf(await crypto.subtle.exportKey("spki", keys.publicKey));
    const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    const notAfter = this.#now() + LEAF_DAYS * DAY_MS;
    const leaf = pki.createCertificate();
    leaf.serialNumber = serialNumber();
    leaf.validity.notBefore = new Date(this.#now() - BACKDATE_MS);
    leaf.validity.notAfter = new Date(notAfter);
    leaf.setSubject([{ name: "commonName", value: names[0] ?? "taskmux" }]);
    leaf.setIssuer(this.#certificate.subject.attributes);
    // Stands in for the real key, which node-forge does not know: replaced below.
    leaf.publicKey = pki.setRsaPublicKey(this.#key.n, this.#key.e);
    leaf.setExtensions([
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: names.map(altName) },
      {
        id: "2.5.29.14",
        value: octets(await digest(rawKeyOf(spki))),
      },
      {
        name: "authorityKeyIdentifier",
        keyIdentifier: keyIdentifierOf(this.#certificate),
      },
    ]);
    return {
      certificate: this.#sign(leaf, spki),
      privateKey: pem("PRIVATE KEY", new Uint8Array(pkcs8)),
      notAfter,
    };
  }

  #sign(leaf: Certificate, spki: string): string {
    leaf.signatureOid = pki.oids["sha256WithRSAEncryption"]!;
    leaf.siginfo.algorithmOid = leaf.signatureOid;
    const tbs = pki.getTBSCertificate(leaf);
    const fields = tbs.value as Asn1[];
    fields[6] = asn1.fromDer(spki);
    const hash = md.sha256.create();
    hash.update(asn1.toDer(tbs).getBytes());
    const signature = this.#key.sign(hash);
    const certificate = asn1.create(
      asn1.Class.UNIVERSAL,
      asn1.Type.SEQUENCE,
      true,
      [
        tbs,
        sha256WithRsa(),
        asn1.create(
          asn1.Class.UNIVERSAL,
          asn1.Type.BITSTRING,
          false,
          String.fromCharCode(0) + signature,
        ),
      ],
    );
    return pem("CERTIFICATE", toBytes(asn1.toDer(certificate).getBytes()));
  }
}

async function makeAuthority({ tld, now }: AuthorityOptions): Promise<{
  readonly certificate: Certificate;
  readonly key: PrivateKey;
}> {
  const keys = await new Promise<{
    readonly publicKey: Certificate["publicKey"];
    readonly privateKey: PrivateKey;
  }>((resolve, reject) =>
    pki.rsa.generateKeyPair(
      { bits: CA_BITS },
      (error, pair) => error ? reject(error) : resolve(pair),
    )
  );
  const certificate = pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(now() - BACKDATE_MS);
  certificate.validity.notAfter = new Date(now() + CA_DAYS * DAY_MS);
  const subject = [
    { name: "organizationName", value: "taskmux development CA" },
    { name: "commonName", value: `taskmux development CA (.${tld})` },
  ];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    {
      name: "basicConstraints",
      cA: true,
      pathLenConstraint: 0,
      critical: true,
    },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
    { id: NAME_CONSTRAINTS, critical: true, value: nameConstraints(tld) },
  ]);
  certificate.sign(keys.privateKey, md.sha256.create());
  return { certificate, key: keys.privateKey };
}

/** Permits names under the domain and addresses of loopback, and nothing else. */
function nameConstraints(tld: string): Asn1 {
  const subtree = (type: number, value: string): Asn1 =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
      asn1.create(asn1.Class.CONTEXT_SPECIFIC, type, false, value),
    ]);
  const v6 = "\0".repeat(15) + "\x01" + "\xff".repeat(16);
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
    asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, [
      subtree(2, tld),
      subtree(7, "\x7f\0\0\0\xff\0\0\0"),
      subtree(7, v6),
    ]),
  ]);
}

function sha256WithRsa(): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
    asn1.create(
      asn1.Class.UNIVERSAL,
      asn1.Type.OID,
      false,
      asn1.oidToDer(pki.oids["sha256WithRSAEncryption"]!).getBytes(),
    ),
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.NULL, false, ""),
  ]);
}

function keyIdentifierOf(certificate: Certificate): string {
  return certificate.generateSubjectKeyIdentifier().getBytes();
}

function octets(value: string): Asn1 {
  return asn1.create(
    asn1.Class.UNIVERSAL,
    asn1.Type.OCTETSTRING,
    false,
    value,
  );
}

async function digest(bytes: string): Promise<string> {
  return bytesOf(
    await crypto.subtle.digest("SHA-1", toBytes(bytes)),
  );
}

/** The bits of the key alone, which its identifier is the hash of (RFC 5280 §4.2.1.2). */
function rawKeyOf(spki: string): string {
  return spki.slice(-65);
}

/** Positive, and not to be guessed. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  bytes[0] = bytes[0]! & 0x7f | 0x40;
  return bytes.toHex();
}

function altName(name: string): { type: number; value?: string; ip?: string } {
  return /^[\d.]+$|:/.test(name)
    ? { type: 7, ip: name }
    : { type: 2, value: name };
}

function pem(label: string, bytes: Uint8Array): string {
  const text = bytes.toBase64().match(/.{1,64}/g)?.join("\n") ?? "";
  return `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
}

function bytesOf(buffer: ArrayBuffer): string {
  return new Uint8Array(buffer).reduce(
    (text, byte) => text + String.fromCharCode(byte),
    "",
  );
}

function toBytes(binary: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
