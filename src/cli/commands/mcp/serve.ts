/**
 * `taskmux mcp serve`
 *
 * @module
 */

import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";

/** Serves MCP on standard input and output. */
export const mcpServe = command({
  usage: "[--session NAME | --unscoped] [--read-only]",
  about:
    "For clients that start their server themselves; those that take an address are better off with the daemon's.\n" +
    "Is about the project of this folder and refuses others. Looking starts no daemon, acting does. Ends when its\n" +
    "input does.",
  options: {
    session: {
      type: "string",
      value: "NAME",
      summary: "For the project of this name, from anywhere",
    },
    unscoped: { type: "boolean", summary: "For every project" },
    "read-only": {
      type: "boolean",
      summary: "Only look: no tool that acts",
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux mcp serve", "For the project of this folder"],
    ["taskmux mcp serve --session shop --read-only", "Only look at one"],
  ],
  async run(context, { values }) {
    const { serveMcp } = await import("../../serve_mcp.ts");
    await serveMcp(context, {
      session: values.session,
      isUnscoped: values.unscoped,
      isReadOnly: values["read-only"],
    });
    return EXIT.ok;
  },
});
