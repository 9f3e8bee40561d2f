/**
 * `taskmux why`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { askOrRead } from "../daemon_access.ts";
import { projectScope } from "../project.ts";
import { whyLines } from "../render/why.ts";

/** Explains one task. */
export const why = command({
  usage: "TASK",
  about:
    "The evidence for its state, the most decisive first: probes, exits with " +
    "the lines before them,\ndependencies, ports, restarts, what is wanted of " +
    "it; then what taskmux does next, and what to type.",
  options: {},
  positionals: { min: 1, max: 1 },
  examples: [
    ["taskmux why api", "Why it is not healthy, or down, or waiting"],
    ["taskmux why api --json", "The same for a program"],
  ],
  async run(context, { positionals }) {
    const { output } = context;
    const scope = projectScope(context);
    const task = positionals[0]!;
    const result = await askOrRead(
      context,
      ["task.why", { scope, task }],
      async () => {
        const { readWhy } = await import("../../offline/why.ts");
        return await readWhy(context, scope.config, task);
      },
    );
    await output.answer(result, () => whyLines(result, output.paint));
    return EXIT.ok;
  },
});
