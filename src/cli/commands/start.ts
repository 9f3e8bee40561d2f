/**
 * `taskmux start`
 *
 * @module
 */

import { perform, report } from "../act.ts";
import { command } from "../command.ts";
import { needDaemon } from "../daemon_access.ts";
import { interruptible } from "../interrupt.ts";
import { seconds } from "../option_value.ts";
import { projectScope } from "../project.ts";

/** Starts tasks, and the daemon if need be. */
export const start = command({
  usage: "[TASK...] [--if-stopped] [--no-deps] [--wait] [--timeout SECONDS]",
  about: "Without TASK: every task that has not auto_start = false.\n" +
    "Returns when each task is up and every condition it depends on has held.",
  options: {
    "if-stopped": {
      type: "boolean",
      summary: "What runs already is no error",
    },
    "no-deps": {
      type: "boolean",
      summary: "Do not start what the tasks depend on",
    },
    wait: {
      type: "boolean",
      summary: "Return when every task is healthy or completed",
    },
    timeout: {
      type: "string",
      value: "SECONDS",
      summary: "Stop waiting then; tasks go on (default 120, 0 = never)",
    },
    monitor: { type: "boolean", short: "m", summary: "Has no effect" },
    daemon: { type: "boolean", short: "d", summary: "Has no effect" },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux start", "Start everything in dependency order"],
    ["taskmux start api web", "Start two tasks and what they depend on"],
    ["taskmux start --if-stopped", "For hooks: fine if all of it runs"],
    ["taskmux start web --wait --timeout 30", "Return when web is healthy"],
  ],
  async run(context, { values, positionals }) {
    const scope = projectScope(context);
    const timeout = seconds("timeout", values.timeout);
    return await interruptible(
      "Stopped waiting: the tasks go on starting",
      async (signal) => {
        await using client = await needDaemon(context, signal);
        const result = await perform(context, client, {
          name: "task.start",
          params: {
            scope,
            tasks: [...positionals],
            env: context.env(),
            wait: values.wait,
            if_stopped: values["if-stopped"],
            deps: !values["no-deps"],
            ...timeout === null ? {} : { timeout },
          },
          title: "Starting",
          signal,
        });
        return await report(context, result);
      },
    );
  },
});
