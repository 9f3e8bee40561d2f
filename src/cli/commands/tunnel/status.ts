/**
 * `taskmux tunnel status`
 *
 * @module
 */

import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { askOrRead } from "../../daemon_access.ts";
import { projectScope } from "../../project.ts";
import { tunnelLines } from "../../render/tunnel.ts";

/** Tells which tasks are public. */
export const tunnelStatus = command({
  usage: "[--all]",
  about: "Works without a daemon; then nothing is public.",
  options: {
    all: { type: "boolean", summary: "Of every project" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux tunnel status", "Every tunnel of this project"],
    ["taskmux tunnel status --all --json", "For a program"],
  ],
  async run(context, { values }) {
    const params = values.all ? {} : { scope: projectScope(context) };
    const result = await askOrRead(
      context,
      ["tunnel.status", params],
      async () => {
        const { readTunnels } = await import("../../../offline/tunnels.ts");
        return await readTunnels(context, params.scope?.config ?? null);
      },
    );
    const { output } = context;
    await output.answer(result, () => tunnelLines(result, output));
    return EXIT.ok;
  },
});
