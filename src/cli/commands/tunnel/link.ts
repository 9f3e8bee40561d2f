/**
 * `taskmux tunnel link`
 *
 * @module
 */

import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { requireDaemon } from "../../daemon_access.ts";
import { projectScope } from "../../project.ts";
import { linkLines } from "../../render/tunnel.ts";

/** Makes one more link to a public task. */
export const tunnelLink = command({
  usage: "TASK",
  about:
    "For a task that was opened with --auth link. A link lets in the first browser that opens\n" +
    "it, and nobody else; it is told once.",
  options: {},
  positionals: { min: 1, max: 1 },
  examples: [["taskmux tunnel link web", "Let one more browser in"]],
  async run(context, { positionals: [task = ""] }) {
    const scope = projectScope(context);
    await using client = await requireDaemon(context);
    const result = await client.call("tunnel.link", { scope, task });
    await context.output.answer(result, () => linkLines(result));
    return EXIT.ok;
  },
});
