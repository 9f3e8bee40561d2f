/**
 * The columns of the matrix.
 *
 * @module
 */

import { findPeers, versionOf } from "../subjects/find_subjects.ts";
import type { Subject } from "../subjects/subject.ts";
import { taskmux } from "../subjects/taskmux.ts";
import { supervisord } from "./supervisord.ts";

/** What was looked for. */
export interface FaultSubjects {
  /** taskmux first. */
  readonly subjects: readonly Subject[];
  /** Names of those that are not here. */
  readonly missing: readonly string[];
  /** Asks each for its version. */
  versions(signal: AbortSignal): Promise<readonly string[]>;
}

/** Those that are here. */
export function findFaultSubjects(
  env: Readonly<Record<string, string>>,
): FaultSubjects {
  const { peers, missing } = findPeers(env, [{
    program: "supervisord",
    name: "supervisord",
    version: ["--version"],
    make: supervisord,
  }]);
  const own = taskmux();
  return {
    subjects: [own, ...peers.map(({ make, path }) => make(path, ""))],
    missing,
    versions: async (signal) => [
      own.version,
      ...await Promise.all(
        peers.map(({ path, version }) => versionOf(path, version, signal)),
      ),
    ],
  };
}
