/**
 * `doctor`: checks of the machine and the state folder. A new one is one entry of {@linkcode CHECKS}; what only the daemon
 * can know is one of `daemon/examine.ts`.
 *
 * @module
 */

import type { Paths } from "../../config/paths.ts";
import { type Finding, runChecks } from "../../kit/checks.ts";
import { systemClock } from "../../kit/clock.ts";
import { asideCheck, filesCheck, homeCheck, legacyCheck } from "./home.ts";
import { authorityCheck, keysCheck } from "./certificates.ts";
import { configsCheck, projectCheck, settingsCheck } from "./configs.ts";
import { clockCheck, denoCheck, gitCheck } from "./machine.ts";
import { daemonCheck, keeperCheck, ownFindings } from "./processes.ts";
import { databaseCheck, registryCheck } from "./state.ts";
import { trustCheck } from "./trust.ts";
import { askDaemon, type DoctorCheck } from "./world.ts";

/** Every check, in the order of the answer. */
export const CHECKS: readonly DoctorCheck[] = [
  denoCheck,
  gitCheck,
  clockCheck,
  homeCheck,
  filesCheck,
  settingsCheck,
  databaseCheck,
  registryCheck,
  configsCheck,
  authorityCheck,
  keysCheck,
  asideCheck,
  legacyCheck,
  daemonCheck,
  keeperCheck,
  projectCheck,
  trustCheck,
];

/** Time for one check. */
const CHECK_LIMIT_MS = 10_000;

/** What is looked at. */
export interface DoctorOptions {
  readonly paths: Paths;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path of the project's file; null = no project here. */
  readonly config: string | null;
}

/** The answer of `doctor`. */
export interface DoctorReport {
  /** Whether no check failed. */
  readonly ok: boolean;
  readonly checks: readonly Finding[];
  /** How many findings there are of each kind. */
  readonly summary: {
    readonly ok: number;
    readonly warn: number;
    readonly fail: number;
  };
}

/** Checks everything. Starts nothing, writes nothing, and ends in bounded time whatever hangs. */
export async function examineAll(
  options: DoctorOptions,
): Promise<DoctorReport> {
  const daemon = await askDaemon(options.paths);
  const world = { ...options, daemon };
  const own = await runChecks(CHECKS, world, {
    clock: systemClock,
    limitMs: CHECK_LIMIT_MS,
    lastResort: `ls -la ${options.paths.home}`,
  });
  const checks = [...own, ...ownFindings(daemon)];
  const count = (status: Finding["status"]): number =>
    checks.filter((check) => check.status === status).length;
  const summary = { ok: count("ok"), warn: count("warn"), fail: count("fail") };
  return { ok: summary.fail === 0, checks, summary };
}
