/**
 * What all stores together come to: the answers about the trust of this machine.
 *
 * @module
 */

import { isBundleCurrent } from "./ca_bundle.ts";
import { readRoot, type RootCertificate } from "./root_certificate.ts";
import type { StoreReport } from "./trust_store.ts";
import type { TrustStores } from "./trust_stores.ts";

/** How far this machine trusts the authority. */
export interface TrustReport {
  readonly exists: boolean;
  readonly path: string | null;
  readonly fingerprint: string | null;
  readonly subject: string | null;
  /** ISO 8601, UTC. */
  readonly not_after: string | null;
  /** Whether every store trusts it. */
  readonly trusted: boolean;
  readonly stores: StoreReport[];
  readonly bundle: { readonly path: string; readonly current: boolean };
}

/** What is told of a change of all stores. */
export interface TrustChange {
  readonly ok: boolean;
  readonly action: "installed" | "uninstalled";
  readonly path: string | null;
  readonly fingerprint: string | null;
  readonly stores: StoreReport[];
  readonly error_code?: "E711";
  readonly error?: string;
  readonly hint?: string;
}

/**
 * Looks at everything and changes nothing.
 *
 * @param caPath Path of the authority's certificate; null = there is none.
 * @param bundle Path of the combined bundle.
 * @throws {TaskmuxError} E710 if the certificate cannot be read.
 */
export async function reportTrust(
  { caPath, bundle, stores }: {
    readonly caPath: string | null;
    readonly bundle: string;
    readonly stores: TrustStores;
  },
): Promise<TrustReport> {
  const root = caPath === null ? null : await readRoot(caPath);
  const reports = root === null ? [] : await stores.look(root);
  return {
    exists: root !== null,
    path: caPath,
    fingerprint: root?.fingerprint ?? null,
    subject: root?.subject ?? null,
    not_after: root === null ? null : new Date(root.notAfter).toISOString(),
    trusted: root !== null && reports.every(({ trusted }) => trusted === true),
    stores: reports,
    bundle: {
      path: bundle,
      current: root !== null && await isBundleCurrent(bundle, root),
    },
  };
}

/** What the change of all stores came to. */
export function summarizeChange(
  action: TrustChange["action"],
  root: RootCertificate | null,
  stores: StoreReport[],
): TrustChange {
  const wanted = action === "installed";
  const wrong = stores.filter(({ state, trusted }) =>
    trusted !== wanted || state === "failed"
  );
  const common = {
    action,
    path: root?.path ?? null,
    fingerprint: root?.fingerprint ?? null,
    stores,
  };
  const [first] = wrong;
  if (first === undefined) return { ok: true, ...common };
  const names = [...new Set(wrong.map(({ store }) => store))].join(", ");
  const fix = wrong.find(({ fix }) => fix !== null)?.fix ?? null;
  return {
    ok: false,
    ...common,
    error_code: "E711",
    error: wanted
      ? `Cannot have every store trust the certificate: ${names}`
      : `Cannot take the certificate out of every store: ${names}`,
    ...fix === null ? {} : { hint: fix },
  };
}
