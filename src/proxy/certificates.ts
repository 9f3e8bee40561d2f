/**
 * What the proxy asks of the certificate authority.
 *
 * @module
 */

import type { HostName } from "../domain/host_name.ts";

/** A certificate with its key. The same object as long as it is the same certificate. */
export interface ServerCertificate {
  /** PEM, the leaf first. */
  readonly certificate: string;
  /** PEM, PKCS #8. A secret. */
  readonly privateKey: string;
}

/** Issues certificates. */
export interface CertificateSource {
  /** The certificate for a name, issued now if there is none that will do. Null = for names that are not ours. */
  certificateFor(name: HostName | null): Promise<ServerCertificate>;
}
