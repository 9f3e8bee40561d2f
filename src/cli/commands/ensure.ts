/**
 * `taskmux ensure`
 *
 * @module
 */

import { report } from "../act.ts";
import { command } from "../command.ts";
import { interruptible } from "../interrupt.ts";
import { withLiveView } from "../live_view.ts";
import { seconds } from "../option_value.ts";
import { callPatiently } from "../patient_call.ts";
import { projectScope } from "../project.ts";
import { goalOf } from "../render/progress.ts";

/** Seconds. */
const DEFAULT_TIMEOUT_S = 60;

/** Makes sure that tasks are up. */
export const ensure = command({
  usage: "TASK... [--for CONDITION] [--timeout SECONDS] [--quiet]",
  about:
    "Starts what does not run, with what it depends on, and waits until it is " +
    "healthy; what is so already is\ntold at once. A task that has run to its " +
    "end has done its work and is not run again. CONDITION is healthy,\n" +
    "running, started, completed, port or log:/REGEXP/. Exit status 124 = the " +
    "time is over; it goes on starting.",
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
    quiet: {
      type: "boolean",
      short: "q",
      summary: "Show nothing while waiting",
    },
  },
  positionals: { min: 1, max: Infinity },
  examples: [
    ["taskmux ensure api", "Have it up and healthy, whatever it was before"],
    ["taskmux ensure api web --json", "URL, port, pid and age of each"],
    ["taskmux ensure db --for port --timeout 20", "Until the port is open"],
  ],
  async run(context, { values, positionals }) {
    const scope = projectScope(context);
    const condition = values.for ?? "healthy";
    const timeout = seconds("timeout", values.timeout, { zero: false }) ??
      DEFAULT_TIMEOUT_S;
    const view = {
      title: `Ensuring ${condition}`,
      goal: goalOf(condition),
      logs: { config: scope.config, tasks: positionals },
    };
    return await interruptible(
      "Stopped waiting: the tasks go on starting",
      async (signal) => {
        const result = await withLiveView(
          context,
          values.quiet ? null : view,
          (onProgress) =>
            callPatiently(context, {
              name: "task.ensure",
              what: condition,
              timeoutS: timeout,
              params: (waited) => ({
                scope,
                tasks: [...positionals],
                for: condition,
                env: context.env(),
                timeout,
                waited,
              }),
              signal,
              onProgress,
            }),
        );
        return await report(context, result);
      },
    );
  },
});
