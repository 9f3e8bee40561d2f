/**
 * The part of node-forge that is used here, with types: its own come with those of Node, which are not those of Deno.
 *
 * @module
 */

import untyped from "node-forge";

/** A text of characters 0 to 255, one for each byte. */
export type ByteText = string;

/** A node of ASN.1. */
export interface Asn1 {
  /** Of a constructed one its parts, else its bytes. */
  value: Asn1[] | ByteText;
}

/** Bytes being put together. */
export interface ByteBuffer {
  getBytes(): ByteText;
}

/** A hash function at work. */
export interface Digest {
  update(bytes: ByteText): Digest;
  digest(): ByteBuffer;
}

/** Opaque. */
export interface PublicKey {
  readonly n: unknown;
  readonly e: unknown;
}

/** An RSA key. A secret. */
export interface PrivateKey extends PublicKey {
  sign(digest: Digest): ByteText;
}

/** A field of a name or an extension. */
export type Attributes = readonly Readonly<Record<string, unknown>>[];

/** A certificate, as it is read or before it is signed. */
export interface Certificate {
  serialNumber: string;
  publicKey: PublicKey;
  signatureOid: string;
  readonly siginfo: { algorithmOid: string };
  readonly validity: { notBefore: Date; notAfter: Date };
  readonly subject: { readonly attributes: Attributes };
  setSubject(attributes: Attributes): void;
  setIssuer(attributes: Attributes): void;
  setExtensions(extensions: Attributes): void;
  getExtension(name: string): Readonly<Record<string, unknown>> | null;
  generateSubjectKeyIdentifier(): ByteBuffer;
  sign(key: PrivateKey, digest: Digest): void;
}

/** See the module. */
export interface Forge {
  readonly asn1: {
    readonly Class: {
      readonly UNIVERSAL: number;
      readonly CONTEXT_SPECIFIC: number;
    };
    readonly Type: Readonly<
      Record<"SEQUENCE" | "BITSTRING" | "OCTETSTRING" | "OID" | "NULL", number>
    >;
    create(
      tagClass: number,
      type: number,
      isConstructed: boolean,
      value: readonly Asn1[] | ByteText,
    ): Asn1;
    fromDer(der: ByteText): Asn1;
    toDer(node: Asn1): ByteBuffer;
    oidToDer(oid: string): ByteBuffer;
  };
  readonly md: { readonly sha256: { create(): Digest } };
  readonly pki: {
    readonly oids: Readonly<Record<string, string>>;
    readonly rsa: {
      generateKeyPair(
        options: { readonly bits: number },
        done: (
          error: Error | null,
          pair: {
            readonly publicKey: PublicKey;
            readonly privateKey: PrivateKey;
          },
        ) => void,
      ): void;
    };
    createCertificate(): Certificate;
    setRsaPublicKey(n: unknown, e: unknown): PublicKey;
    getTBSCertificate(certificate: Certificate): Asn1;
    certificateFromPem(pem: string): Certificate;
    certificateToPem(certificate: Certificate): string;
    privateKeyFromPem(pem: string): PrivateKey;
    privateKeyToPem(key: PrivateKey): string;
  };
}

/** The library. */
export const forge = untyped as Forge;
