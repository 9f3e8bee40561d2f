/**
 * The trust of this machine without a daemon: what files tell.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import { systemClock } from "../kit/clock.ts";
import { reportTrust } from "../trust/trust_report.ts";
import { TrustStores } from "../trust/trust_stores.ts";
import { readCaPath, type TrustDisk } from "./ca_path.ts";

/** The answer of `ca.status`. What only a program can tell is `unknown`. */
export async function readTrust(
  disk: TrustDisk,
): Promise<Result<"ca.status">> {
  const { paths, env } = disk;
  const stores = await TrustStores.find({
    stateFolder: paths.home,
    env,
    // Decides only how a command to type begins.
    isRoot: false,
    canRun: false,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  return {
    ok: true,
    ...await reportTrust({
      caPath: await readCaPath(disk),
      bundle: paths.caBundle,
      stores,
    }),
  };
}
