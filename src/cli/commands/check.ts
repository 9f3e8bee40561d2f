/**
 * `taskmux check`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { projectScope } from "../project.ts";
import { checkLines } from "../render/check.ts";

/** Checks the configuration without a daemon. */
export const check = command({
  usage: "",
  about: "Reads the file as the daemon would, and looks whether folders and " +
    "programs exist.\nExit status 3 = there are errors.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux check", "Check the project of this folder"],
    ["taskmux check --config ci/taskmux.toml --json", "Check another file"],
  ],
  async run(context) {
    const { config } = projectScope(context);
    const { checkConfig } = await import("../check_config.ts");
    const { safeAnswer } = await import("../redaction.ts");
    const result = await safeAnswer(
      context,
      config,
      await checkConfig(config, context.env()),
    );
    await context.output.answer(
      result,
      () => checkLines(result, context.output.paint),
    );
    return result.ok ? EXIT.ok : EXIT.config;
  },
});
