/**
 * `taskmux ca mint`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { needDaemon } from "../daemon_access.ts";
import { projectScope } from "../project.ts";

/** Has the project's certificate signed anew. */
export const caMint = command({
  usage: "",
  about: "The proxy has certificates signed by itself, and renews them. This " +
    "is for other servers that are\nto have the names of the project, and " +
    "for a new one at once.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux ca mint", "Sign it and tell where it is"],
  ],
  async run(context) {
    const scope = projectScope(context);
    await using client = await needDaemon(context);
    const result = await client.call("ca.mint", { scope });
    await context.output.answer(result, () => [
      `Certificate: ${result.cert}`,
      `Key:         ${result.key}`,
      `Names:       ${result.names.join(", ")}`,
      `Expires:     ${result.expires_at.slice(0, 10)}`,
    ]);
    return EXIT.ok;
  },
});
