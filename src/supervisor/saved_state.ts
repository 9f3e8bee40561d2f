/**
 * What of a task's machine outlives the controller, beside what is wanted of it.
 *
 * @module
 */

import type { ErrorShape } from "../domain/error.ts";
import type {
  StartCause,
  StopPlan,
  TaskMachine,
} from "../domain/task_machine.ts";
import type { ProbeResult } from "../domain/task_state.ts";

/** See the module. Holds no secret: the environment is only named. */
export interface SavedState {
  /** Where the task came to rest; null = it ran or was on its way. */
  readonly outcome: "stopped" | "failed" | "completed" | null;
  readonly restarts: number;
  readonly gaveUp: boolean;
  readonly error: ErrorShape | null;
  /** Name of the environment in the environment store. */
  readonly environment: string | null;
  /** The run whose `ready_log` line has been seen: later output may have pushed that line out of everybody's sight. */
  readonly readyRunId: string | null;
  /** Why a run is being started. */
  readonly cause: StartCause | null;
  /** The run that is being ended. `isOver`: nothing of it lives, what is left is its after_stop hook. */
  readonly stopping:
    | StopPlan & { readonly runId: string; readonly isOver: boolean }
    | null;
  /** The last probe of a run, if it succeeded. Only as of the last change, or of the end of the controller. */
  readonly health:
    | { readonly runId: string; readonly last: ProbeResult }
    | null;
}

const NOTHING: SavedState = {
  outcome: null,
  restarts: 0,
  gaveUp: false,
  error: null,
  environment: null,
  readyRunId: null,
  cause: null,
  stopping: null,
  health: null,
};

/**
 * What is to be saved of a machine.
 *
 * @param rest `error`: that of the machine without secrets; it may tell what a hook has printed.
 */
export function savedStateOf(
  machine: TaskMachine,
  rest: Pick<SavedState, "environment" | "readyRunId" | "error">,
): SavedState {
  const { restarts, gaveUp, phase } = machine;
  const { status } = phase;
  return {
    ...NOTHING,
    ...rest,
    restarts,
    gaveUp,
    outcome: status === "failed" || status === "completed" ||
        status === "stopped"
      ? status
      : null,
    cause: status === "preparing" || status === "spawning" ? phase.cause : null,
    stopping: status === "stopping" && phase.stage !== "before"
      ? {
        kind: phase.kind,
        restartAfterMs: phase.restartAfterMs,
        isGated: phase.isGated ?? false,
        runId: phase.run.runId,
        isOver: phase.stage === "after",
      }
      : null,
    health: status === "running" && phase.health.last?.ok === true
      ? { runId: phase.run.runId, last: phase.health.last }
      : null,
  };
}

/** As text for the store. */
export function encodeSavedState(state: SavedState): string {
  return JSON.stringify(state);
}

/** From text of the store. What cannot be read counts as nothing. */
export function decodeSavedState(text: string | null): SavedState {
  if (text === null || text === "") return NOTHING;
  try {
    return { ...NOTHING, ...JSON.parse(text) as Partial<SavedState> };
  } catch (error) {
    if (error instanceof SyntaxError) return NOTHING;
    throw error;
  }
}

/** The part of a machine that a saved state gives back. */
export function restoreMachine(
  wanted: Pick<TaskMachine, "desired" | "manual">,
  saved: SavedState,
): Partial<TaskMachine> {
  return {
    desired: wanted.desired,
    manual: wanted.manual,
    restarts: saved.restarts,
    gaveUp: saved.gaveUp,
    error: saved.error,
    phase: { status: saved.outcome ?? "stopped" },
  };
}
