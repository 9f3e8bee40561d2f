/**
 * What a kind of health probe is.
 *
 * @module
 */

import type { Redactor } from "../domain/redactor.ts";
import type { HealthSpec } from "../domain/task_spec.ts";
import type { ProbeResult } from "../domain/task_state.ts";
import type { Clock } from "../kit/clock.ts";

/** What is probed: one run of a task at this moment. */
export interface ProbeTarget {
  readonly health: HealthSpec;
  /** Null = the task has none. */
  readonly port: number | null;
  /** Whether the run's process lives. */
  readonly alive: boolean;
  /** The run's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Null = `/bin/sh`. */
  readonly shell: string | null;
  /** Takes the secrets out of what is cut from its output. */
  readonly redactor: Redactor;
}

/** What every probe works with. */
export interface ProbeOptions {
  readonly clock: Clock;
  /** Ends the probe at once. */
  readonly signal: AbortSignal;
}

/** Most of what a failed probe got to see that is kept, in UTF-16 units. */
export const MAX_PROBE_OUTPUT = 500;

/** Why a target is not healthy. */
export interface Complaint {
  /** In a few words. */
  readonly reason: string;
  /** What the target said, at most {@linkcode MAX_PROBE_OUTPUT} of it; absent if it said nothing. */
  readonly output?: string;
}

/**
 * One kind of evidence. Implementations hold no state; any number of checks may run at a time.
 */
export interface HealthProbe {
  readonly kind: ProbeResult["method"];
  /** Whether the target is set up for this kind of evidence. Never waits. */
  applies(target: ProbeTarget): boolean;
  /**
   * Looks once, for the target's `timeoutMs` at most plus the time it takes to end what had to be started. Touches
   * nothing but what the target names, and leaves nothing behind.
   *
   * @returns Why the target is not healthy, alone the reason where there is no more; null if it is. Being down is never
   * an exception.
   * @throws The signal's reason when it aborts.
   */
  check(
    target: ProbeTarget,
    options: ProbeOptions,
  ): Promise<Complaint | string | null>;
}

/** The reason of every probe that ran out of time. */
export function timeoutReason(target: ProbeTarget): string {
  return `timeout after ${target.health.timeoutMs / 1000}s`;
}
