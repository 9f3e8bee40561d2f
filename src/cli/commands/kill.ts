/**
 * `taskmux kill`
 *
 * @module
 */

import { perform, report } from "../act.ts";
import { command } from "../command.ts";
import { findOrReviveDaemon } from "../daemon_access.ts";
import { interruptible } from "../interrupt.ts";
import { projectScope } from "../project.ts";

/** Ends tasks at once. */
export const kill = command({
  usage: "TASK...",
  about: "Sends SIGKILL to everything that belongs to the tasks. Hooks do " +
    "not run.\nThey stay stopped until they are started again.",
  options: {},
  positionals: { min: 1, max: Infinity },
  examples: [["taskmux kill worker", "End a task that does not stop"]],
  async run(context, { positionals }) {
    const scope = projectScope(context);
    const tasks = [...positionals];
    return await interruptible(
      "Stopped waiting: the tasks are being killed",
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
          name: "task.kill",
          params: { scope, tasks },
          title: "Killing",
          signal,
        });
        return await report(context, result);
      },
    );
  },
});
