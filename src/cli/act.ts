/**
 * The way of every command that acts on tasks: reach the daemon, show what it tells while it works, print what it did.
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import type { ParamsInput, Result } from "../contract/mod.ts";
import type { Context } from "./context.ts";
import { exitStatus } from "./exit_status.ts";
import { withLiveView } from "./live_view.ts";
import { actionLines } from "./render/action.ts";

/** The operations that act on tasks. All answer in one shape. */
export type ActionName =
  | "task.start"
  | "task.stop"
  | "task.restart"
  | "task.kill"
  | "task.run";

/** What is asked of the daemon, and how it is shown meanwhile. */
export interface Action<N extends ActionName> {
  readonly name: N;
  readonly params: ParamsInput<N>;
  /** What is done, such as "Starting". */
  readonly title: string;
  readonly signal: AbortSignal;
}

/** Asks for an action and waits for its end, however long it takes. On a terminal its progress is shown. */
export async function perform<N extends ActionName>(
  context: Context,
  client: Client,
  { name, params, title, signal }: Action<N>,
): Promise<Result<N>> {
  return await withLiveView(
    context,
    { title },
    (onProgress) => client.call(name, params, { signal, onProgress }),
  );
}

/**
 * Prints what an action did.
 *
 * @returns The exit status.
 */
export async function report(
  { output }: Context,
  result: Result<ActionName> | Result<"task.ensure">,
): Promise<number> {
  if (output.json) await output.value(result);
  else {
    const { out, err } = actionLines(result, output);
    await output.lines(out);
    await output.notes(err);
  }
  return exitStatus(result);
}
