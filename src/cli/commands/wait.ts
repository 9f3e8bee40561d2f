/**
 * `taskmux wait`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { formatDuration } from "../../kit/duration.ts";
import { command } from "../command.ts";
import { needDaemon } from "../daemon_access.ts";
import { interruptible } from "../interrupt.ts";
import { seconds } from "../option_value.ts";
import { projectScope } from "../project.ts";

/** Waits for tasks. */
export const wait = command({
  usage: "TASK... [--for CONDITION] [--timeout SECONDS]",
  about: "CONDITION is healthy, running, completed, stopped, port or " +
    "log:/REGEXP/.\nReturns at once when it can no longer hold. Exit status " +
    "124 = the time is over.",
  options: {
    for: {
      type: "string",
      value: "CONDITION",
      summary: "What to wait for (default healthy)",
    },
    timeout: {
      type: "string",
      value: "SECONDS",
      summary: "Longest wait (default 60)",
    },
  },
  positionals: { min: 1, max: Infinity },
  examples: [
    ["taskmux wait api", "Until api is healthy"],
    ["taskmux wait migrate --for completed", "Until a task has done its work"],
    [
      "taskmux wait web --for 'log:/ready in/' --timeout 30",
      "Until a line appears",
    ],
  ],
  async run(context, { values, positionals }) {
    const scope = projectScope(context);
    const timeout = seconds("timeout", values.timeout, { zero: false });
    return await interruptible("Stopped waiting", async (signal) => {
      await using client = await needDaemon(context, signal);
      const result = await client.call("task.wait", {
        scope,
        tasks: [...positionals],
        ...values.for === null ? {} : { for: values.for },
        ...timeout === null ? {} : { timeout },
      }, { signal });
      await context.output.answer(result, () => {
        const after = formatDuration(result.waited * 1000);
        return result.tasks.map(({ task, state }) =>
          `Task "${task}" is ${state} (waited ${after} for ${result.for})`
        );
      });
      return EXIT.ok;
    });
  },
});
