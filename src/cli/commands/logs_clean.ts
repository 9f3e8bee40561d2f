/**
 * `taskmux logs-clean`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { needDaemon } from "../daemon_access.ts";
import { projectScope } from "../project.ts";

/** Deletes log files. */
export const logsClean = command({
  usage: "[TASK...]",
  about: "Tasks that run go on in a new file.",
  options: {},
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux logs-clean", "Delete the logs of every task"],
    ["taskmux logs-clean api", "Delete those of one task"],
  ],
  async run(context, { positionals }) {
    const scope = projectScope(context);
    await using client = await needDaemon(context);
    const result = await client.call("log.clean", {
      scope,
      tasks: [...positionals],
    });
    const whose = positionals.length === 0
      ? ""
      : ` of ${positionals.map((task) => `task "${task}"`).join(", ")}`;
    await context.output.answer(result, () => [
      result.deleted === 0
        ? `No log files${whose} to delete`
        : `Deleted ${result.deleted} log ${
          result.deleted === 1 ? "file" : "files"
        }${whose}`,
    ]);
    return EXIT.ok;
  },
});
