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
  /** As its keeper tells it, whatever the wall clock has done; absent if that is gone, or an older one. */
  readonly ageMs?: number | undefined;
}

/** What is told of a run that is taken over. */
export interface TakenOver extends Pick<FoundRun, "isNews" | "ageMs"> {
  /** Of the spec it was started with; null = unknown. */
  readonly digest: string | null;
}

/** See the module. Two questions to the history. */
export function adoptedFacts(
  host: SupervisorHost,
  { projectId, spec, saved, run, isNews, ...found }: FoundRun,
): AdoptedFacts {
  const { clock, store } = host;
  const now = clock.now();
  const ageMs = found.ageMs ?? Math.max(0, now - run.startedAt);
  // By their order, as the wall clock may have been set back since: the end of an earlier run is the border.
  const newest = (...types: string[]) => {
    const [event] = store.events.list({
      session: projectId,
      tasks: [spec.name],
      types: [...types, "task_exited"],
      limit: 1,
    }).events;
    return event?.event === "task_exited" ? undefined : event;
  };
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
    ageMs,
    wasReady: healthy !== undefined,
    ...(isHealthy
      ? {
        healthyForMs: Math.min(
          ageMs,
          Math.max(0, now - Date.parse(healthy.ts)),
        ),
      }
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
