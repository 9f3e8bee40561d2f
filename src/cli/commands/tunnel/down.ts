/**
 * `taskmux tunnel down`
 *
 * @module
 */

import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { needDaemon } from "../../daemon_access.ts";
import { interruptible } from "../../interrupt.ts";
import { projectScope } from "../../project.ts";
import { closedLines } from "../../render/tunnel.ts";
import { warningLines } from "../../render/warnings.ts";

/** Closes tunnels. */
export const tunnelDown = command({
  usage: "[TASK...]",
  about:
    "Nobody outside reaches the tasks any more, connections are cut. Without TASK all of the\n" +
    'project. What "taskmux tunnel enable" set up stays closed until "tunnel up".',
  options: {},
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux tunnel down web", "One task"],
    ["taskmux tunnel down", "Everything of this project"],
  ],
  async run(context, { positionals }) {
    const scope = projectScope(context);
    return await interruptible(
      "Stopped waiting: the tunnels are closed all the same",
      async (signal) => {
        await using client = await needDaemon(context, signal);
        const params = { scope, tasks: [...positionals] };
        const result = await client.call("tunnel.down", params, { signal });
        const { output } = context;
        await output.answer(result, () => closedLines(result));
        await output.notes(warningLines(result.warnings, output.paintError));
        return EXIT.ok;
      },
    );
  },
});
