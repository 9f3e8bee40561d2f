/**
 * What a controller knows of a run that an earlier one started: from the history, and from what that one saved.
 *
 * @module
 */

import type { AdoptedFacts } from "../domain/task_input.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import type { RunInfo } from "../domain/task_state.ts";
import type { SupervisorHost } from "./host.ts";
import type { SavedState } from "./saved_state.ts";

/** A run that is found. */
export interface FoundRun {
  readonly projectId: string;
  readonly spec: TaskSpec;
  readonly saved: SavedState;
  readonly run: RunInfo;
  /** Whether nobody was told of its start. */
  readonly isNews: boolean;
}

/** See the module. Two questions to the history. */
export function adoptedFacts(
  host: SupervisorHost,
  { projectId, spec, saved, run, isNews }: FoundRun,
): AdoptedFacts {
  const { clock, store } = host;
  const now = clock.now();
  const newest = (...types: string[]) =>
    store.events.list({
      session: projectId,
      task: spec.name,
      types,
      sinceMs: run.startedAt,
      limit: 1,
    }).events[0];
  const healthy = newest("task_healthy");
  const isHealthy = healthy !== undefined &&
    newest("task_healthy", "health_check_failed", "task_unhealthy")?.seq ===
      healthy.seq;
  const { stopping, health } = saved;
  const last = health?.runId === run.runId ? health.last : null;
  const { intervalMs, timeoutMs } = spec.health;
  // A daemon that runs tells a probe of this age as well.
  const isFresh = last !== null &&
    Math.abs(now - last.at) <= intervalMs + timeoutMs;
  return {
    ageMs: Math.max(0, now - run.startedAt),
    wasReady: healthy !== undefined,
    ...(isHealthy
      ? { healthyForMs: Math.max(0, now - Date.parse(healthy.ts)) }
      : {}),
    ...(isFresh ? { lastHealth: last } : {}),
    ...(isNews ? { news: saved.cause ?? "start" } : {}),
    ...(stopping?.runId === run.runId
      ? {
        plan: {
          kind: stopping.kind,
          restartAfterMs: stopping.restartAfterMs,
          isGated: stopping.isGated ?? false,
        },
      }
      : {}),
  };
}
