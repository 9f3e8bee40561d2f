/**
 * A certificate authority that is at hand: signs certificates for the names of tasks.
 *
 * Whoever made it: ours comes from `own_authority.ts`, mkcert's from `mkcert_authority.ts`. The keys of what it signs are
 * P-256, whose handshakes cost a third of those with RSA (`docs/decisions/0021`).
 *
 * @module
 */

import {
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { promisify } from "node:util";

const DAY_MS = 86_400_000;

/** Browsers accept 398 days of a public authority; what they will accept of a private one is not worth finding out. */
const LEAF_MS = 397 * DAY_MS;

/** Clocks of clients may be behind. */
export const BACKDATE_MS = 3_600_000;

/** X.509 counts seconds, the last one included. */
const SECOND_MS = 1_000;

/** Keys that every client can verify the signatures of. */
const KEY_TYPES: readonly string[] = ["rsa", "ec"];

/** Who is named by a certificate. */
export interface LeafNames {
  /** For people. At most 64 characters. */
  readonly label: string;
  /** DNS names; a wildcard begins with `*.`. */
  readonly dns: readonly string[];
  readonly addresses: readonly string[];
}

/** A certificate and its key. */
export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. A secret. */
  readonly privateKey: string;
}

/** A pair of texts that are no authority. The message says why, without a subject. */
export class NotAnAuthority extends Error {
  override readonly name = "NotAnAuthority";
}

/** See the module. */
export class Authority {
  /** Path of the certificate that clients have to trust. */
  readonly path: string;
  readonly certificate: X509Certificate;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly #key: KeyObject;

  private constructor(
    path: string,
    certificate: X509Certificate,
    key: KeyObject,
  ) {
    this.path = path;
    this.certificate = certificate;
    this.notBefore = certificate.validFromDate.getTime();
    this.notAfter = certificate.validToDate.getTime();
    this.#key = key;
  }

  /**
   * The authority of a certificate and its key, PEM. Whether it is valid today is not asked.
   *
   * @throws {NotAnAuthority} If they are none, or do not belong together.
   */
  static of(
    path: string,
    { certificate, privateKey }: IssuedCertificate,
  ): Authority {
    const parsed = parse(() => new X509Certificate(certificate));
    if (parsed === null) throw new NotAnAuthority("holds no certificate");
    const key = parse(() => createPrivateKey(privateKey));
    if (key === null) throw new NotAnAuthority("has a key that is none");
    if (!KEY_TYPES.includes(key.asymmetricKeyType ?? "")) {
      throw new NotAnAuthority("has a key that is neither RSA nor ECDSA");
    }
    if (!parsed.ca) throw new NotAnAuthority("is not that of an authority");
    if (!parsed.checkPrivateKey(key)) {
      throw new NotAnAuthority("does not belong to the key beside it");
    }
    return new Authority(path, parsed, key);
  }

  /** Tells authorities apart. */
  get fingerprint(): string {
    return this.certificate.fingerprint256;
  }

  /** Whether a certificate is one of this authority. */
  hasSigned(certificate: X509Certificate): boolean {
    return certificate.checkIssued(this.certificate) &&
      certificate.verify(this.certificate.publicKey);
  }

  /** Signs a new certificate for a new key. Not valid longer than the authority itself. Takes some 3 ms. */
  async issue(names: LeafNames, now: number): Promise<IssuedCertificate> {
    // Costs 30 ms and 16 MB once, which a daemon whose certificates are all there saves.
    const { signCertificate } = await import("./sign_certificate.ts");
    const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", {
      namedCurve: "P-256",
    });
    const notBefore = now - BACKDATE_MS;
    const certificate = signCertificate({
      subject: {
        organizationName: "taskmux development certificate",
        organizationalUnitName: names.label,
      },
      publicKey,
      notBefore,
      notAfter: Math.min(notBefore + LEAF_MS - SECOND_MS, this.notAfter),
      extensions: [
        { name: "basicConstraints", cA: false, critical: true },
        { name: "keyUsage", digitalSignature: true, critical: true },
        { name: "extKeyUsage", serverAuth: true },
        {
          name: "subjectAltName",
          altNames: [
            ...names.dns.map((value) => ({ type: 2, value })),
            ...names.addresses.map((ip) => ({ type: 7, ip })),
          ],
        },
      ],
    }, { certificate: this.certificate, key: this.#key });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    return { certificate, privateKey: pem.toString() };
  }
}

/** Null if the text is not what it should be. */
function parse<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    // The decoders know no common class of errors, and nothing else is done here.
    if (error instanceof Error) return null;
    throw error;
  }
}
