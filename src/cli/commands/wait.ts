/**
 * `taskmux wait`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { interruptible } from "../interrupt.ts";
import { withLiveView } from "../live_view.ts";
import { seconds } from "../option_value.ts";
import { callPatiently, type PatientCall } from "../patient_call.ts";
import { projectScope } from "../project.ts";
import { goalOf } from "../render/progress.ts";
import { waitLines } from "../render/wait.ts";

/** Seconds. */
const DEFAULT_TIMEOUT_S = 60;

/** Waits for tasks. */
export const wait = command({
  usage: "[TASK...] [--for CONDITION] [--any] [--timeout SECONDS] [--quiet]",
  about: "CONDITION is healthy, running, started, completed, stopped, port, " +
    "log:/REGEXP/ or event:TYPE; without TASK\nonly event:TYPE, of any task. " +
    "An event counts from now on, a line since the task was started.\nReturns " +
    "at once when it can no longer hold. Exit status 124 = the time is over. " +
    "A terminal shows what\nthe tasks print meanwhile.",
  options: {
    for: {
      type: "string",
      value: "CONDITION",
      summary: "What to wait for (default healthy)",
    },
    any: { type: "boolean", summary: "One of the tasks is enough" },
    timeout: {
      type: "string",
      value: "SECONDS",
      summary: "Longest wait (default 60)",
    },
    quiet: {
      type: "boolean",
      short: "q",
      summary: "Show nothing while waiting",
    },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux wait api", "Until api is healthy"],
    ["taskmux wait migrate --for completed", "Until a task has done its work"],
    [
      "taskmux wait web --for 'log:/ready in/' --timeout 30",
      "Until a line appears",
    ],
    ["taskmux wait api worker --any --for stopped", "Until one of them ends"],
    ["taskmux wait --for event:config_reloaded", "Until something happens"],
  ],
  async run(context, { values, positionals }) {
    const scope = projectScope(context);
    const condition = values.for ?? "healthy";
    const timeout = seconds("timeout", values.timeout, { zero: false }) ??
      DEFAULT_TIMEOUT_S;
    const view = {
      title: `Waiting for ${condition}`,
      goal: goalOf(condition),
      logs: { config: scope.config, tasks: positionals },
    };
    return await interruptible("Stopped waiting", async (signal) => {
      const after = condition.startsWith("event:")
        ? await newestEvent(context, {
          what: condition,
          timeoutS: timeout,
          signal,
        })
        : null;
      const result = await withLiveView(
        context,
        values.quiet ? null : view,
        (onProgress) =>
          callPatiently(context, {
            name: "task.wait",
            what: condition,
            timeoutS: timeout,
            params: (waited) => ({
              scope,
              tasks: [...positionals],
              for: condition,
              any: values.any,
              timeout,
              waited,
              after,
            }),
            signal,
            onProgress,
          }),
      );
      await context.output.answer(result, () => waitLines(result));
      return EXIT.ok;
    });
  },
});

/** Where the events begin that count, whichever daemon tells them. */
async function newestEvent(
  context: Context,
  call: Pick<PatientCall<"event.list">, "what" | "timeoutS" | "signal">,
): Promise<number> {
  const { events } = await callPatiently(context, {
    ...call,
    name: "event.list",
    params: () => ({ limit: 1 }),
  });
  return events.at(-1)?.seq ?? 0;
}
