/**
 * `taskmux stop`
 *
 * @module
 */

import { perform, report } from "../act.ts";
import { command } from "../command.ts";
import { findOrReviveDaemon } from "../daemon_access.ts";
import { interruptible } from "../interrupt.ts";
import { projectScope } from "../project.ts";

/** Stops tasks. */
export const stop = command({
  usage: "[TASK...]",
  about: "Returns when no process of the tasks is left. They stay stopped " +
    "until they are started again,\nwhatever their restart policy.",
  options: {},
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux stop", "Stop everything, dependents first"],
    ["taskmux stop api worker", "Stop two tasks"],
  ],
  async run(context, { positionals }) {
    const scope = projectScope(context);
    const tasks = [...positionals];
    return await interruptible(
      "Stopped waiting: the tasks go on stopping",
      async (signal) => {
        await using client = await findOrReviveDaemon(context, signal);
        if (client === null) {
          const { stopNothing } = await import("../../offline/nothing_runs.ts");
          return await report(
            context,
            await stopNothing(context, scope.config, tasks),
          );
        }
        const result = await perform(context, client, {
          name: "task.stop",
          params: { scope, tasks },
          title: "Stopping",
          signal,
        });
        return await report(context, result);
      },
    );
  },
});
