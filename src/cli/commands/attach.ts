/**
 * `taskmux attach`
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { findOrReviveDaemon } from "../daemon_access.ts";
import { DETACH_KEYS, DetachKeys } from "../detach_keys.ts";
import { projectScope } from "../project.ts";
import { TerminalSession } from "../terminal_session.ts";

/** Looks at a task's terminal and types into it. */
export const attach = command({
  usage: "TASK [--detach-keys KEYS]",
  about: "Every key goes to the task, Ctrl-C too. Ctrl-P Ctrl-Q leaves it " +
    "running.\nGoes on by itself when the daemon is restarted.",
  options: {
    "detach-keys": {
      type: "string",
      value: "KEYS",
      summary: `Keys that leave (default ${DETACH_KEYS})`,
    },
  },
  positionals: { min: 1, max: 1 },
  examples: [
    ["taskmux attach console", "Use a REPL or a debugger that is a task"],
    ["taskmux attach web --detach-keys ctrl-]", "Leave with Ctrl-]"],
  ],
  async run(context, { values, positionals }) {
    const task = positionals[0]!;
    const keys = new DetachKeys(values["detach-keys"] ?? DETACH_KEYS);
    const { config } = projectScope(context);
    const { canAsk, agent } = context.output;
    if (!canAsk) {
      throw new TaskmuxError(
        "E500",
        agent === null
          ? `Cannot attach to '${task}': this needs a terminal`
          : `Cannot attach to '${task}': this is for a person at a terminal`,
        { hint: `taskmux logs ${task} -n 50` },
      );
    }
    const client = await findOrReviveDaemon(context);
    if (client === null) {
      throw new TaskmuxError("E202", `Task '${task}' is not running`, {
        hint: `taskmux start ${task}`,
        details: { task },
      });
    }
    const { output } = context;
    const target = { config, task };
    const end = await new TerminalSession(context, { client, target, keys })
      .run();
    if (end.reason === "detached") {
      await output.notes([`Detached; ${task} runs on`]);
      return EXIT.ok;
    }
    await output.notes([`${task} is over, exit code ${end.exitCode ?? "?"}`]);
    return end.exitCode === 0 ? EXIT.ok : EXIT.failure;
  },
});
