/**
 * The combined bundle as the daemon keeps it: up to date whenever it is told of.
 *
 * @module
 */

import { kindOf } from "../kit/set_aside.ts";
import type { Services } from "./services.ts";

/** What the bundle is made of and where it goes. */
export type BundleParts = {
  readonly certificates: Pick<Services["certificates"], "caPath">;
  readonly paths: Pick<Services["paths"], "caBundle">;
};

/**
 * Brings it up to date: some milliseconds.
 *
 * @returns Its path; null if there is no authority, or no bundle can be made.
 */
export async function freshBundle(
  { certificates: { caPath }, paths: { caBundle } }: BundleParts,
): Promise<string | null> {
  if (caPath === null) return null;
  const [{ refreshBundle }, { readRoot }] = await Promise.all([
    import("../trust/ca_bundle.ts"),
    import("../trust/root_certificate.ts"),
  ]);
  const root = await readRoot(caPath);
  if (root === null) return null;
  await refreshBundle(caBundle, root);
  return caBundle;
}

/** Its path, if it was made once. */
export function existingBundle(
  { caBundle }: BundleParts["paths"],
): string | null {
  return kindOf(caBundle) === "file" ? caBundle : null;
}
