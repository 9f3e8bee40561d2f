/**
 * What of a task's machine outlives the controller, beside what is wanted of it.
 *
 * @module
 */

import type { ErrorShape } from "../domain/error.ts";
import type { TaskMachine } from "../domain/task_machine.ts";

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
}

const NOTHING: SavedState = {
  outcome: null,
  restarts: 0,
  gaveUp: false,
  error: null,
  environment: null,
  readyRunId: null,
};

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
