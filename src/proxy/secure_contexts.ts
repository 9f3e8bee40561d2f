/**
 * The certificate for each TLS handshake.
 *
 * @module
 */

import { createSecureContext, type SecureContext } from "node:tls";
import { parseHostName } from "../domain/host_name.ts";
import type { CertificateSource, ServerCertificate } from "./certificates.ts";
import type { Router } from "./router.ts";

/** TLS contexts by certificate: one that was renewed is used from then on. */
export class SecureContexts {
  readonly #router: Router;
  readonly #certificates: CertificateSource;
  readonly #contexts = new WeakMap<ServerCertificate, SecureContext>();

  constructor(
    { router, certificates }: {
      readonly router: Router;
      readonly certificates: CertificateSource;
    },
  ) {
    this.#router = router;
    this.#certificates = certificates;
  }

  /**
   * The context for the name a client asks for.
   *
   * @param name Empty if it asks for none.
   * @throws What the source of certificates throws.
   */
  async contextFor(name: string): Promise<SecureContext> {
    const parsed = parseHostName(name, this.#router.tld);
    const isOurs = parsed !== null && this.#router.knows(parsed.projectId);
    const certificate = await this.#certificates.certificateFor(
      isOurs ? parsed : null,
    );
    const known = this.#contexts.get(certificate);
    if (known !== undefined) return known;
    const context = createSecureContext({
      cert: certificate.certificate,
      key: certificate.privateKey,
    });
    this.#contexts.set(certificate, context);
    return context;
  }
}
