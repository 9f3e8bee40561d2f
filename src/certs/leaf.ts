/**
 * A certificate for names of tasks, as far as it is to be known when it is served.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Authority, IssuedCertificate, LeafNames } from "./authority.ts";

/** A certificate with less time left is renewed. */
export const RENEWAL_MS = 30 * 86_400_000;

/** See the module. */
export interface Leaf extends IssuedCertificate {
  /** Fingerprint of the authority that signed it. */
  readonly authority: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Whether a certificate will do, soon will not, or does not. */
export type LeafCondition = "good" | "due" | "bad";

/** The certificate of two texts; null if they are none, do not belong together, lack a name or have another issuer. */
export function readLeaf(
  pair: IssuedCertificate,
  names: LeafNames,
  authority: Authority,
): Leaf | null {
  try {
    const certificate = new X509Certificate(pair.certificate);
    const key = createPrivateKey(pair.privateKey);
    if (!certificate.checkPrivateKey(key)) return null;
    if (!authority.hasSigned(certificate)) return null;
    if (!covers(certificate, names)) return null;
    return {
      ...pair,
      authority: authority.fingerprint,
      notBefore: certificate.validFromDate.getTime(),
      notAfter: certificate.validToDate.getTime(),
    };
  } catch (error) {
    // The decoders know no common class of errors.
    if (error instanceof Error) return null;
    throw error;
  }
}

/** How a certificate does at a time, with the authority of that time. */
export function conditionOf(
  leaf: Leaf,
  authority: Authority,
  now: number,
): LeafCondition {
  if (leaf.authority !== authority.fingerprint) return "bad";
  if (!isValidAt(leaf, now)) return "bad";
  const canLastLonger = leaf.notAfter < authority.notAfter;
  return canLastLonger && leaf.notAfter - now <= RENEWAL_MS ? "due" : "good";
}

/** Whether clients whose clocks are right accept it. */
export function isValidAt(leaf: Leaf, now: number): boolean {
  return leaf.notBefore <= now && now < leaf.notAfter;
}

function covers(certificate: X509Certificate, names: LeafNames): boolean {
  const written = (certificate.subjectAltName ?? "").split(", ");
  return names.dns.every((name) => written.includes(`DNS:${name}`)) &&
    names.addresses.every((each) => written.includes(`IP Address:${each}`));
}
