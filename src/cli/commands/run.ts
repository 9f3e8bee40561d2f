/**
 * `taskmux run`
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { perform, report } from "../act.ts";
import { command } from "../command.ts";
import { needDaemon } from "../daemon_access.ts";
import { interruptible } from "../interrupt.ts";
import { projectScope } from "../project.ts";
import { shellText } from "../../kit/shell_words.ts";

/** Runs a command under the daemon without writing it into the file. */
export const run = command({
  usage: "NAME -- COMMAND...",
  about: "The command runs in the current folder and environment, with logs, " +
    "events and stop like any other task.\nOne word is taken as shell text; " +
    "several are taken as they are.",
  options: {},
  positionals: { min: 1, max: Infinity },
  takesWords: true,
  examples: [
    ["taskmux run seed -- npm run seed", "Run a script once"],
    ["taskmux run tail -- 'tail -f x.log | grep -i error'", "Shell text"],
  ],
  async run(context, { positionals, words }) {
    const scope = projectScope(context);
    const [task, ...before] = positionals;
    const command = shellText([...before, ...words ?? []]);
    if (task === undefined || command.trim() === "") {
      throw new TaskmuxError("E500", "Cannot run: there is no command", {
        hint: `Usage: taskmux run ${task ?? "NAME"} -- COMMAND...`,
      });
    }
    return await interruptible(
      "Stopped waiting: the task goes on",
      async (signal) => {
        await using client = await needDaemon(context, signal);
        const result = await perform(context, client, {
          name: "task.run",
          params: {
            scope,
            task,
            command,
            cwd: context.folder,
            env: context.env(),
          },
          title: "Starting",
          signal,
        });
        return await report(context, result);
      },
    );
  },
});
