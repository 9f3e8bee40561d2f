/**
 * `taskmux doctor`
 *
 * @module
 */

import { findConfig } from "../../config/find_config.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { doctorLines } from "../render/doctor.ts";

/** Checks the machine and the state folder. */
export const doctor = command({
  usage: "",
  about:
    "Looks at Deno, git, the state folder, the daemon, the keeper, every " +
    "registered project and\nthe one of this folder, and tells what to type " +
    "where something is wrong. Starts and changes\nnothing. Exit status 1 if " +
    "a check fails; warnings are no failures.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux doctor", "When something is strange"],
    ["taskmux doctor --json", "The same for programs"],
  ],
  async run(context) {
    const { output, paths, env, folder, config } = context;
    const { examineAll } = await import("../../offline/doctor/mod.ts");
    const { safeAnswer } = await import("../redaction.ts");
    const report = await safeAnswer(
      context,
      null,
      await examineAll({
        paths,
        env: env(),
        config: config ?? findConfig(folder),
      }),
    );
    await output.answer(report, () => doctorLines(report, output.paint));
    return report.ok ? EXIT.ok : EXIT.failure;
  },
});
