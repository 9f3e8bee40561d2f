/**
 * `taskmux mcp serve`
 *
 * @module
 */

import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { oneOf } from "../../option_value.ts";

/** Serves MCP on standard input and output. */
export const mcpServe = command({
  usage: "[--session PROJECT | --unscoped] [--access read]",
  about:
    "For clients that start their server themselves; those that take an address are better off with the daemon's.\n" +
    "Is about the project of this folder and refuses others. Looking starts no daemon, acting does. Ends when its\n" +
    "input does.",
  options: {
    session: {
      type: "string",
      value: "PROJECT",
      summary: "For the project with this id, from anywhere",
    },
    unscoped: { type: "boolean", summary: "For every project" },
    access: {
      type: "string",
      value: "read",
      summary: "Only look: no tool that acts",
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux mcp serve", "For the project of this folder"],
    ["taskmux mcp serve --session shop --access read", "Only look at one"],
  ],
  async run(context, { values }) {
    const { serveMcp } = await import("../../serve_mcp.ts");
    await serveMcp(context, {
      session: values.session,
      isUnscoped: values.unscoped,
      isReadOnly: oneOf("access", values.access, ["read"]) === "read",
    });
    return EXIT.ok;
  },
});
