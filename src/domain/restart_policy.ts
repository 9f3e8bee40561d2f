/**
 * When an ended or unhealthy task is started again, and after how long. Pure.
 *
 * @module
 */

import type { RestartSpec } from "./task_spec.ts";
import type { Exit } from "./task_state.ts";

/** Longest delay between two automatic restarts. */
export const MAX_BACKOFF_MS = 60_000;

/** A task that was healthy this long starts a new series of restarts. */
export const HEALTHY_RESET_MS = 60_000;

/** What to do about a task whose run ended or is unhealthy. */
export type RestartDecision =
  | {
    readonly kind: "restart";
    readonly attempt: number;
    readonly delayMs: number;
  }
  | { readonly kind: "rest" }
  | { readonly kind: "give_up"; readonly attempts: number };

/** Whether an exit counts as a success: an exit status that the task lists. A signal never is. */
export function isSuccess(spec: RestartSpec, exit: Exit): boolean {
  return exit.code !== null && spec.successExitCodes.includes(exit.code);
}

/**
 * Delay before automatic restart number `attempt` of a series: none before the first, then `backoff^(attempt-1)`
 * seconds, at most {@linkcode MAX_BACKOFF_MS}.
 */
export function backoffMs(spec: RestartSpec, attempt: number): number {
  if (attempt <= 1) return 0;
  return Math.min(spec.backoff ** (attempt - 1) * 1000, MAX_BACKOFF_MS);
}

/**
 * Decides for a run that ended by itself.
 *
 * @param restarts Automatic restarts so far in this series.
 */
export function decideAfterExit(
  spec: RestartSpec,
  exit: Exit,
  restarts: number,
): RestartDecision {
  const wanted = spec.policy === "always" ||
    (spec.policy === "on-failure" && !isSuccess(spec, exit));
  return wanted ? nextAttempt(spec, restarts) : { kind: "rest" };
}

/** Decides for a task whose probes failed too often, or whose automatic restart failed before it ran. */
export function decideAfterFailure(
  spec: RestartSpec,
  restarts: number,
): RestartDecision {
  return spec.policy === "no" ? { kind: "rest" } : nextAttempt(spec, restarts);
}

function nextAttempt(spec: RestartSpec, restarts: number): RestartDecision {
  if (spec.maxRestarts > 0 && restarts >= spec.maxRestarts) {
    return { kind: "give_up", attempts: restarts };
  }
  const attempt = restarts + 1;
  return { kind: "restart", attempt, delayMs: backoffMs(spec, attempt) };
}
