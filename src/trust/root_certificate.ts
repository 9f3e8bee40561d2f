/**
 * The certificate that clients are to trust, and certificates in files of PEM.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { TaskmuxError } from "../domain/error.ts";

/** What of an authority's subject shows that it was made for development by taskmux, or by mkcert for it. */
const OWN_SUBJECT = /\b(?:taskmux|mkcert) development CA\b/;

const PEM_BLOCK =
  /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** The certificate of the authority. */
export interface RootCertificate {
  /** Absolute. */
  readonly path: string;
  readonly pem: string;
  readonly der: Uint8Array;
  /** SHA-256 in hexadecimal, in pairs with colons between. */
  readonly fingerprint: string;
  /** On one line, such as `O=taskmux development CA, CN=…`. */
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/**
 * Reads the authority's certificate; null if there is none.
 *
 * @throws {TaskmuxError} E710 if the file holds something else, or may not be read.
 */
export async function readRoot(path: string): Promise<RootCertificate | null> {
  try {
    const pem = await Deno.readTextFile(path);
    const [der] = certificatesIn(pem);
    if (der === undefined) {
      throw new TypeError("there is no certificate in it");
    }
    const { subject, validTo } = new X509Certificate(der);
    return {
      path,
      pem: toPem(der),
      der,
      fingerprint: await fingerprintOf(der),
      subject: onOneLine(subject),
      notAfter: Date.parse(validTo),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new TaskmuxError("E710", `Cannot read the certificate "${path}"`, {
      cause: error,
      details: { path },
      hint: `ls -l ${path}`,
    });
  }
}

/** The certificates in a text of PEM, as DER, in their order. What is no Base64 is left out. */
export function certificatesIn(pem: string): Uint8Array<ArrayBuffer>[] {
  return [...pem.matchAll(PEM_BLOCK)].flatMap(([, text = ""]) => {
    try {
      return [Uint8Array.fromBase64(text.replace(/\s/g, ""))];
    } catch (error) {
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  });
}

/** Whether a text of PEM has this certificate in it. Reads megabytes in milliseconds. */
export function holdsCertificate(pem: string, der: Uint8Array): boolean {
  return pem.replace(/\s/g, "").includes(
    `-----BEGINCERTIFICATE-----${der.toBase64()}-----END`,
  );
}

/** One certificate as PEM. */
export function toPem(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g)?.join("\n") ?? "";
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** SHA-256 of a certificate, in the form of {@linkcode RootCertificate.fingerprint}. */
export async function fingerprintOf(
  der: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return digest.toHex().toUpperCase().match(/../g)!.join(":");
}

/** Whether a certificate was made by taskmux or mkcert, whichever authority of theirs it is. */
export function isOwnKind(der: Uint8Array): boolean {
  try {
    return OWN_SUBJECT.test(new X509Certificate(der).subject);
  } catch (error) {
    // What cannot be read is nothing of ours.
    if (error instanceof Error) return false;
    throw error;
  }
}

/** Whether two certificates are the same one. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function onOneLine(subject: string): string {
  return subject.split("\n").join(", ");
}
