/**
 * `taskmux daemon list`
 *
 * @module
 */

import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { askOrRead } from "../../daemon_access.ts";
import { projectLines } from "../../render/daemon.ts";
import { warningLines } from "../../render/status.ts";

/** Lists the projects of this machine. */
export const daemonList = command({
  usage: "",
  options: {
    port: { type: "string", value: "PORT", summary: "Has no effect" },
  },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon list", "Every project and how much of it runs"]],
  async run(context) {
    const { output, paths } = context;
    const result = await askOrRead(
      context,
      ["project.list", {}],
      async () => {
        const { readProjects } = await import("../../../offline/daemon.ts");
        return await readProjects(paths);
      },
    );
    await output.answer(result, () => projectLines(result, output));
    await output.notes(warningLines(result.warnings ?? [], output.paintError));
    return EXIT.ok;
  },
});
