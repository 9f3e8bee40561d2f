/**
 * Ctrl-C while something else works on: ends the waiting, not the work.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/**
 * Does work that Ctrl-C withdraws. A second Ctrl-C ends the process at once.
 *
 * @param message What the user is told about the work that goes on.
 * @throws {TaskmuxError} E603 after Ctrl-C.
 */
export async function interruptible<T>(
  message: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => {
    Deno.removeSignalListener("SIGINT", interrupt);
    controller.abort(
      new TaskmuxError("E603", message, { hint: "taskmux status" }),
    );
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    return await work(controller.signal);
  } finally {
    if (!controller.signal.aborted) {
      Deno.removeSignalListener("SIGINT", interrupt);
    }
  }
}
