/**
 * `taskmux inspect`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { askOrRead } from "../daemon_access.ts";
import { projectScope } from "../project.ts";
import { inspectLines } from "../render/inspect.ts";

/** Shows one task. */
export const inspect = command({
  usage: "TASK",
  options: {},
  positionals: { min: 1, max: 1 },
  examples: [
    ["taskmux inspect api", "Settings, processes and history of a task"],
    ["taskmux inspect api --json", "The same for a program"],
  ],
  async run(context, { positionals }) {
    const { output } = context;
    const scope = projectScope(context);
    const task = positionals[0]!;
    const result = await askOrRead(
      context,
      ["task.inspect", { scope, task }],
      async () => {
        const { readInspect } = await import("../../offline/status.ts");
        return await readInspect(context, scope.config, task);
      },
    );
    await output.answer(result, () => inspectLines(result, output.paint));
    return EXIT.ok;
  },
});
