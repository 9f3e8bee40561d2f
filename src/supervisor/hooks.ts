/**
 * Runs the shell commands that a user wants around a start or a stop.
 *
 * Which hooks run when, and what a failure means for the action, is the supervisor's business.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { TaskmuxError } from "../domain/error.ts";
import type { HookName } from "../domain/task_spec.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import { type CommandOutcome, runCommand } from "../kit/run_command.ts";
import { utf8Length } from "../kit/utf8_length.ts";

/** How long a hook may take. */
export const HOOK_TIMEOUT_MS = 30_000;

/** How long a hook that took too long has to clean up before it is killed. */
const HOOK_KILL_GRACE_MS = 2_000;

const HOOK_TAIL_BYTES = 2 * 1024;

/** Which hook to run, and where. */
export interface HookRequest {
  readonly hook: HookName;
  /** The task whose hook it is; null = the project's. */
  readonly task: string | null;
  readonly command: string;
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Null = `/bin/sh`. */
  readonly shell: string | null;
  /** {@linkcode HOOK_TIMEOUT_MS} by default. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** The machine's by default. */
  readonly clock?: Clock;
}

/** How a hook went. */
export type HookResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: TaskmuxError };

/**
 * Runs a hook to its end. A hook that takes too long is ended with all it started. One that leaves a process in the
 * background is done when its shell is: the process lives on, but nobody reads its output any more.
 *
 * @returns E400 if it failed or could not be started, E401 if it took too long; with `hook`, `task`, `exit_code`,
 * `timeout` (seconds) and `output_tail` in the details.
 * @throws The signal's reason, once the hook is ended, if the signal aborts.
 */
export async function runHook(request: HookRequest): Promise<HookResult> {
  const timeoutMs = request.timeoutMs ?? HOOK_TIMEOUT_MS;
  const outcome = await runCommand({
    argv: [request.shell ?? "/bin/sh", "-c", request.command],
    cwd: request.cwd,
    env: request.env,
    timeoutMs,
    killGraceMs: HOOK_KILL_GRACE_MS,
    outputLimitBytes: HOOK_TAIL_BYTES,
    stderr: "merge",
    leftovers: "leave",
    clock: request.clock ?? systemClock,
    signal: request.signal,
  });
  return outcome.kind === "exited" && outcome.code === 0
    ? { ok: true }
    : { ok: false, error: hookError(request, outcome, timeoutMs) };
}

/** The output from the first line on that is there as a whole: half a secret would not be known as one. */
function wholeLines(output: string): string {
  // A character that is cut is left out, so that up to three bytes are missing.
  const isCut = utf8Length(output) > HOOK_TAIL_BYTES - 4;
  return isCut ? output.slice(output.indexOf("\n") + 1) : output;
}

function hookError(
  request: HookRequest,
  outcome: CommandOutcome,
  timeoutMs: number,
): TaskmuxError {
  const { hook, task, cwd } = request;
  const whose = task === null ? "the project" : `task "${task}"`;
  const isTimeout = outcome.kind === "timed_out";
  return new TaskmuxError(
    isTimeout ? "E401" : "E400",
    `Cannot run hook ${hook} of ${whose}: ${describe(outcome, timeoutMs)}`,
    {
      hint: `Run its command by hand in "${cwd}" to see what it does`,
      details: {
        hook,
        task,
        exit_code: outcome.kind === "exited" && outcome.signal === null
          ? outcome.code
          : null,
        timeout: isTimeout ? timeoutMs / 1000 : null,
        output_tail: outcome.kind === "not_started"
          ? ""
          : stripVTControlCharacters(wholeLines(outcome.output)).trimEnd(),
      },
    },
  );
}

function describe(outcome: CommandOutcome, timeoutMs: number): string {
  switch (outcome.kind) {
    case "exited":
      return outcome.signal === null
        ? `it exited with code ${outcome.code}`
        : `it was ended by ${outcome.signal}`;
    case "timed_out":
      return `it took longer than ${timeoutMs / 1000} s`;
    case "not_started":
      return outcome.reason;
  }
}
