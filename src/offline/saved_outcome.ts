/**
 * How a task came to rest, as the daemon saved it.
 *
 * @module
 */

import type { ErrorShape } from "../domain/error.ts";
import type { TaskSnapshot } from "../domain/task_view.ts";

/** The part of a snapshot that is known of a task at rest. */
export type SavedOutcome = Pick<
  TaskSnapshot,
  "state" | "restartCount" | "reason"
>;

const STOPPED: SavedOutcome = {
  state: "stopped",
  restartCount: 0,
  reason: null,
};

/** Reads what the store has of a task; what another version wrote in another way counts as nothing. */
export function readOutcome(text: string | null | undefined): SavedOutcome {
  if (text === null || text === undefined || text === "") return STOPPED;
  try {
    const saved = JSON.parse(text) as {
      readonly outcome?: unknown;
      readonly restarts?: unknown;
      readonly error?: { readonly error?: unknown } | null;
    };
    const { outcome, restarts } = saved;
    const reason = saved.error?.error;
    return {
      state: outcome === "failed" || outcome === "completed"
        ? outcome
        : "stopped",
      restartCount: typeof restarts === "number" ? restarts : 0,
      reason: outcome === "failed" && typeof reason === "string"
        ? reason
        : null,
    };
  } catch (error) {
    if (error instanceof SyntaxError) return STOPPED;
    throw error;
  }
}

/** Why a task came to rest, as the daemon saved it; nothing where it did not, or in another way. */
export function readError(
  text: string | null | undefined,
): { readonly error: ErrorShape | null; readonly gaveUp: boolean } {
  const nothing = { error: null, gaveUp: false };
  if (text === null || text === undefined || text === "") return nothing;
  try {
    const { error, gaveUp } = JSON.parse(text) as {
      readonly error?: ErrorShape | null;
      readonly gaveUp?: unknown;
    };
    const isError = typeof error?.error === "string" &&
      typeof error.error_code === "string";
    return { error: isError ? error : null, gaveUp: gaveUp === true };
  } catch (error) {
    if (error instanceof SyntaxError) return nothing;
    throw error;
  }
}
