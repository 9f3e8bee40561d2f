/**
 * `taskmux mcp show`
 *
 * @module
 */

import { snippetOf } from "../../../agents/client_settings.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { namedClients } from "../../choose_clients.ts";
import { command } from "../../command.ts";
import { addressFor, mcpScope, SCOPE_OPTIONS } from "../../mcp_scope.ts";
import { warningLine } from "../../render/mcp.ts";

/** Shows what an agent has to be told. */
export const mcpShow = command({
  usage: "[CLIENT] [--session NAME | --unscoped] [--read-only] [--stdio]",
  about: "Prints what to paste into the settings of an agent, in the form " +
    "that it reads (default: claude).\nWrites nothing.",
  options: SCOPE_OPTIONS,
  positionals: { min: 0, max: 1 },
  examples: [
    ["taskmux mcp show codex", "A piece of TOML"],
    ["taskmux mcp show claude-project --read-only", "One that only looks"],
  ],
  async run(context, { values, positionals: [name = "claude"] }) {
    const { output } = context;
    const [client] = namedClients([name]);
    if (client === undefined) throw new TypeError("a name stands for clients");
    const scope = await mcpScope(context, values);
    const address = addressFor(client, scope);
    const snippet = snippetOf(client, client.entry(address));
    const answer = {
      ok: true,
      client: client.name,
      session: scope.session,
      url: address.kind === "http" ? address.url : null,
      path: client.files(scope.place).fresh,
      format: client.format.name,
      snippet,
      warnings: scope.warnings,
    };
    await output.answer(answer, () => snippet.trimEnd().split("\n"));
    await output.notes([
      `For ${answer.path}`,
      ...scope.warnings.map((word) => warningLine(word, output.paintError)),
    ]);
    return EXIT.ok;
  },
});
