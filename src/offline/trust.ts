/**
 * The trust of this machine without a daemon: what files tell.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import type { Result } from "../contract/mod.ts";
import { systemClock } from "../kit/clock.ts";
import { kindOf } from "../kit/set_aside.ts";
import { reportTrust } from "../trust/trust_report.ts";
import { TrustStores } from "../trust/trust_stores.ts";

/** Where state is, and the variables of the shell. */
export interface TrustDisk {
  readonly paths: Paths;
  readonly env: Readonly<Record<string, string>>;
}

/** Path of the authority's certificate; null = there is none. */
export async function readCaPath(
  { paths }: TrustDisk,
): Promise<string | null> {
  await loadHostConfig(paths.hostConfig);
  const path = `${paths.ca}/rootCA.pem`;
  return kindOf(path) === "file" ? path : null;
}

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
