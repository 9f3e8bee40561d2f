/**
 * `taskmux status`. The command asked most often: what is not needed for `--json` is loaded only for people.
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { askOrRead } from "../daemon_access.ts";
import { projectScope } from "../project.ts";

/** Shows every task. */
export const status = command({
  usage: "",
  about: "Never starts anything. Without a daemon it answers from disk.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux status", "A table of every task"],
    ["taskmux status --json", "The same with everything known"],
  ],
  async run(context) {
    const { output } = context;
    const scope = projectScope(context);
    const result = await askOrRead(
      context,
      ["task.status", { scope }],
      async () => {
        const { readStatus } = await import("../../offline/status.ts");
        return await readStatus(context, scope.config);
      },
    );
    if (output.json) {
      await output.value(result);
      return EXIT.ok;
    }
    const { statusLines, warningLines } = await import("../render/status.ts");
    await output.lines(statusLines(result, output));
    await output.notes(warningLines(result.warnings, output.paintError));
    return EXIT.ok;
  },
});
