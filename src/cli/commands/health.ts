/**
 * `taskmux health`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { askOrRead } from "../daemon_access.ts";
import { projectScope } from "../project.ts";
import { healthLines } from "../render/health.ts";

/** Probes tasks. */
export const health = command({
  usage: "[TASK...]",
  about: "Probes now, and tells which evidence was found. A task that does " +
    "not run is not healthy.",
  options: {
    verbose: { type: "boolean", short: "v", summary: "Has no effect" },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux health", "Probe everything"],
    ["taskmux health api --json", "Probe one task, for a program"],
  ],
  async run(context, { positionals }) {
    const { output } = context;
    const scope = projectScope(context);
    const tasks = [...positionals];
    const result = await askOrRead(
      context,
      ["task.health", { scope, tasks }],
      async () => {
        const { readHealth } = await import("../../offline/status.ts");
        return await readHealth(context, scope.config, tasks);
      },
    );
    await output.answer(result, () => healthLines(result, output));
    return EXIT.ok;
  },
});
