/**
 * Tells that nothing trusts the certificates yet. What is remembered for that costs no look at the stores.
 *
 * @module
 */

import { systemClock } from "../kit/clock.ts";
import type { StoreReport } from "../trust/trust_store.ts";
import type { Services } from "./services.ts";

/** Of which authority it is known that a store trusts it. */
const SETTLED = "ca.trust_settled";

/** Of which authority people were told that none does. */
const TOLD = "ca.trust_told";

/** What is needed of the daemon. */
export type TrustNotes = Pick<
  Services,
  "certificates" | "environment" | "front" | "isRoot" | "paths" | "store"
>;

/** Remembers, after a change of the stores, whether there is something to tell. */
export function noteTrust(
  { certificates: { caPath }, store: { meta } }: TrustNotes,
  stores: readonly StoreReport[],
): void {
  const isTrusted = stores.some(({ trusted }) => trusted === true);
  meta.set(SETTLED, isTrusted && caPath !== null ? stampOf(caPath) : "");
}

/**
 * What to say to somebody who has just started something with a name: once for each authority, and nothing ever after.
 * Whoever is about to visit it is told each time. The stores are looked at only until one trusts it.
 */
export async function trustTip(
  services: TrustNotes,
  occasion: "start" | "visit",
): Promise<string[]> {
  const { certificates: { caPath }, store: { meta }, front } = services;
  if (!front.binding.bound || caPath === null) return [];
  const stamp = stampOf(caPath);
  if (meta.get(SETTLED) === stamp) return [];
  if (occasion === "start" && meta.get(TOLD) === stamp) return [];
  const [{ readRoot }, { TrustStores }] = await Promise.all([
    import("../trust/root_certificate.ts"),
    import("../trust/trust_stores.ts"),
  ]);
  const root = await readRoot(caPath);
  if (root === null) return [];
  const stores = await TrustStores.find({
    stateFolder: services.paths.home,
    env: services.environment(),
    isRoot: services.isRoot,
    canRun: false,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const reports = await stores.look(root);
  const isTrusted = reports.some(({ trusted }) => trusted === true);
  meta.set(isTrusted ? SETTLED : TOLD, stamp);
  if (isTrusted) return [];
  return [
    `Browsers do not trust the certificates of https://*.${front.binding.tld} yet: taskmux ca install`,
  ];
}

/** Another one for each authority, and cheap: its files are replaced when it is. */
function stampOf(caPath: string): string {
  const { ino, mtime, size } = Deno.statSync(caPath);
  return `${caPath} ${ino} ${mtime?.getTime()} ${size}`;
}
