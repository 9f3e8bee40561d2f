/**
 * What the daemon remembers of the trust of this machine, so that a hint costs no look at the stores.
 *
 * @module
 */

import type { MetaTable } from "../store/meta_table.ts";
import type { RootCertificate } from "../trust/root_certificate.ts";
import type { StoreReport } from "../trust/trust_store.ts";

/** Fingerprint of the authority that some store trusts, or that people were told of. */
const SETTLED = "ca.trust_settled";

/** Remembers whether any store trusts the authority, after a change. */
export function noteTrust(
  meta: MetaTable,
  root: RootCertificate | null,
  stores: readonly StoreReport[],
): void {
  const isTrusted = stores.some(({ trusted }) => trusted === true);
  meta.set(SETTLED, isTrusted ? root?.fingerprint ?? "" : "");
}
