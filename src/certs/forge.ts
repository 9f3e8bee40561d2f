/**
 * The part of node-forge that is used here, with types: its own come with those of Node, which are not those of Deno.
 *
 * It costs some 30 ms and 16 MB, so only `sign_certificate.ts` imports it, which is loaded when something is to be signed.
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

/** Fields of a name, or extensions, as node-forge writes them. */
export type Attributes = readonly Readonly<Record<string, unknown>>[];

/** A certificate before it is signed. */
export interface Certificate {
  serialNumber: string;
  /** Only RSA. */
  publicKey: { readonly n: number; readonly e: number };
  readonly siginfo: { algorithmOid: string };
  readonly validity: { notBefore: Date; notAfter: Date };
  setSubject(attributes: Attributes): void;
  setExtensions(extensions: Attributes): void;
}

/** See the module. */
export interface Forge {
  readonly asn1: {
    readonly Class: { readonly UNIVERSAL: number };
    readonly Type: Readonly<
      Record<
        "SEQUENCE" | "BITSTRING" | "OCTETSTRING" | "OID" | "NULL" | "UTF8",
        number
      >
    >;
    create(
      tagClass: number,
      type: number,
      isConstructed: boolean,
      value: readonly Asn1[] | ByteText,
    ): Asn1;
    fromDer(
      der: ByteText,
      options?: { readonly decodeBitStrings: boolean },
    ): Asn1;
    toDer(node: Asn1): ByteBuffer;
    oidToDer(oid: string): ByteBuffer;
  };
  readonly pki: {
    createCertificate(): Certificate;
    getTBSCertificate(certificate: Certificate): Asn1;
  };
}

/** The library. */
export const forge = untyped as Forge;
