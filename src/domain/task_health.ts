/**
 * What is known about the health of one run, and how a probe changes it. Pure.
 *
 * Readiness is the first success. After it every failed probe counts; before it failures count only once the boot
 * grace is over, and then one per health interval, because readiness is polled much faster than that.
 *
 * @module
 */

import type { HealthSpec } from "./task_spec.ts";
import type { ProbeResult } from "./task_state.ts";

/** Health of one run. Times are monotonic milliseconds. */
export interface TaskHealth {
  readonly spawnedAt: number;
  /** Whether any probe of this run ever succeeded. */
  readonly isReady: boolean;
  /** Start of the present healthy stretch; null while not healthy. */
  readonly healthySince: number | null;
  /** Consecutive failures that count. */
  readonly failures: number;
  readonly countedAt: number | null;
  readonly last: ProbeResult | null;
}

/** A run of which nothing is known yet. */
export function unknownHealth(spawnedAt: number): TaskHealth {
  return {
    spawnedAt,
    isReady: false,
    healthySince: null,
    failures: 0,
    countedAt: null,
    last: null,
  };
}

/** What a probe means. */
export interface HealthChange {
  readonly health: TaskHealth;
  /**
   * `ready`: healthy now and not before. `failed`: a failure that counts. `unhealthy`: the last one it takes.
   * `still_unhealthy`: one more.
   */
  readonly kind: "same" | "ready" | "failed" | "unhealthy" | "still_unhealthy";
}

/** Applies one probe. */
export function applyProbe(
  spec: HealthSpec,
  health: TaskHealth,
  probe: { readonly result: ProbeResult; readonly now: number },
): HealthChange {
  const { result, now } = probe;
  if (result.ok) {
    return {
      kind: health.healthySince === null ? "ready" : "same",
      health: {
        ...health,
        isReady: true,
        healthySince: health.healthySince ?? now,
        failures: 0,
        countedAt: null,
        last: result,
      },
    };
  }
  const failing = { ...health, healthySince: null, last: result };
  if (!health.isReady) {
    const graceEnds = health.spawnedAt + spec.bootGraceMs;
    const due = (health.countedAt ?? graceEnds) + spec.intervalMs;
    if (now < due) return { kind: "same", health: failing };
  }
  const failures = health.failures + 1;
  const missing = failuresNeeded(spec) - failures;
  return {
    kind: missing > 0
      ? "failed"
      : missing === 0
      ? "unhealthy"
      : "still_unhealthy",
    health: { ...failing, failures, countedAt: now },
  };
}

/** Without retries the first failure is the last. */
export function failuresNeeded(spec: HealthSpec): number {
  return Math.max(1, spec.retries);
}

/** The word for a run's health. */
export function healthWord(
  spec: HealthSpec,
  health: TaskHealth,
): "starting" | "healthy" | "unhealthy" {
  if (health.last?.ok === true) return "healthy";
  // A run that was taken over may have been ready without having been asked again yet.
  const isUnknown = !health.isReady || health.last === null;
  if (isUnknown && health.failures < failuresNeeded(spec)) {
    return "starting";
  }
  return "unhealthy";
}

/** Whether a run has any evidence of health beside being alive. */
export function hasProbe(spec: HealthSpec, port: number | null): boolean {
  return spec.url !== null || spec.check !== null || spec.readyLog !== null ||
    port !== null;
}

/** What a run is short of whose probes have found nothing yet, as it is told. */
export function unansweredText({ url, check, readyLog }: HealthSpec): string {
  return readyLog !== null && url === null && check === null
    ? `no line matches "${readyLog}" yet`
    : "no probe has answered yet";
}
