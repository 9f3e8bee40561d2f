/**
 * `taskmux restart`
 *
 * @module
 */

import { perform, report } from "../act.ts";
import { command } from "../command.ts";
import { needDaemon } from "../daemon_access.ts";
import { interruptible } from "../interrupt.ts";
import { seconds } from "../option_value.ts";
import { projectScope } from "../project.ts";

/** Restarts tasks, in the environment of this shell. */
export const restart = command({
  usage: "[TASK...] [--wait] [--timeout SECONDS]",
  about: "Tasks that do not run are started.",
  options: {
    wait: {
      type: "boolean",
      summary: "Return when every task is healthy or completed",
    },
    timeout: {
      type: "string",
      value: "SECONDS",
      summary: "Stop waiting then; tasks go on (default 120, 0 = never)",
    },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux restart", "Restart everything"],
    ["taskmux restart api", "Restart one task"],
  ],
  async run(context, { values, positionals }) {
    const scope = projectScope(context);
    const timeout = seconds("timeout", values.timeout);
    return await interruptible(
      "Stopped waiting: the tasks go on restarting",
      async (signal) => {
        await using client = await needDaemon(context, signal);
        const result = await perform(context, client, {
          name: "task.restart",
          params: {
            scope,
            tasks: [...positionals],
            env: context.env(),
            wait: values.wait,
            ...timeout === null ? {} : { timeout },
          },
          title: "Restarting",
          signal,
        });
        return await report(context, result);
      },
    );
  },
});
