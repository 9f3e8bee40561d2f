/**
 * `taskmux mcp install`, `mcp uninstall`
 *
 * @module
 */

import {
  filesWithEntry,
  findEntry,
  installEntry,
  snippetOf,
  uninstallEntry,
  withEntry,
} from "../../../agents/client_settings.ts";
import { clashOf, otherScope } from "../../../agents/entry_clash.ts";
import {
  addressOf,
  grantOf,
  type McpAddress,
} from "../../../agents/mcp_address.ts";
import { MCP_CLIENTS, type McpClient } from "../../../agents/mcp_clients.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import {
  askForClients,
  namedClients,
  usedClients,
} from "../../choose_clients.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { exitStatus } from "../../exit_status.ts";
import { stepsToServe } from "../../mcp_next_steps.ts";
import {
  addressFor,
  clientWarnings,
  mcpPlace,
  type McpScope,
  mcpScope,
  SCOPE_OPTIONS,
} from "../../mcp_scope.ts";
import type {
  FailedResult,
  InstallResult,
  UninstallResult,
} from "../../mcp_results.ts";
import { changedLines } from "../../render/changed_lines.ts";
import { installLines, uninstallLines } from "../../render/mcp.ts";
import { refuseSudo } from "../../sudo.ts";

/** Sets agents up. */
export const mcpInstall = command({
  usage: "[CLIENT...] [--session NAME | --unscoped] [--read-only] [--stdio] " +
    "[--print]",
  about: "Writes the address of taskmux into the settings of coding agents, " +
    "and nothing else there. CLIENT is\n" +
    `${MCP_CLIENTS.slice(0, 6).map(({ name }) => name).join(", ")},\n` +
    `${MCP_CLIENTS.slice(6).map(({ name }) => name).join(", ")} or all. ` +
    "Without one: a list to choose from;\nwithout a terminal, those in use in " +
    "this project. The agent sees this project only. Needs no daemon.",
  options: {
    print: {
      type: "boolean",
      summary: "Show what would change, write nothing",
    },
    ...SCOPE_OPTIONS,
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux mcp install claude-project", "Claude Code, for this project"],
    ["taskmux mcp install claude --stdio", "Claude Code, in every project"],
    ["taskmux mcp install all --print", "What each one would be told"],
  ],
  async run(context, { values, positionals }) {
    refuseSudo(context.user, "set up an agent");
    const { output } = context;
    const named = namedClients(positionals);
    const scope = await mcpScope(context, values);
    const clients = named.length > 0
      ? named
      : output.canAsk
      ? await askForClients(scope.place)
      : usedClients(scope.place);
    if (clients === null) {
      await output.notes(["Nothing chosen"]);
      return EXIT.failure;
    }
    const results: InstallResult[] = [];
    for (const client of clients) {
      results.push(
        await attempt(client, async () => {
          const own = named.length > 0
            ? scope
            : await keptScope(context, client, { scope, values });
          const writing = { client, clients, scope: own, print: values.print };
          return await installOne(writing);
        }),
      );
    }
    const url = results.flatMap((result) =>
      result.ok && result.url !== null && !values.print ? [result.url] : []
    )[0];
    const next = url === undefined
      ? []
      : await stepsToServe(context, url, scope.session);
    const answer = {
      ok: results.every(({ ok }) =>
        ok
      ),
      client: positionals.length === 1 ? positionals[0]! : null,
      session: scope.session,
      warnings: scope.warnings,
      results,
      next,
    };
    await output.answer(answer, () => installLines(answer, output.paint));
    return exitStatus(answer);
  },
});

/** Takes that back. */
export const mcpUninstall = command({
  usage: "[CLIENT...]",
  about: "Takes taskmux out of the settings of coding agents, and nothing " +
    "else. Without CLIENT, out of those of\nthis project; 'all' means those " +
    "of the user as well.",
  options: {},
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux mcp uninstall", "Out of the settings in this project"],
    ["taskmux mcp uninstall all", "Out of all"],
  ],
  async run(context, { positionals }) {
    refuseSudo(context.user, "change the settings of an agent");
    const { output } = context;
    const named = namedClients(positionals);
    const { place } = mcpPlace(context);
    const clients = named.length > 0
      ? named
      : MCP_CLIENTS.filter(({ scope }) => scope === "project");
    const results: UninstallResult[] = [];
    for (const client of clients) {
      const paths = await filesWithEntry(client, place);
      for (const path of paths) {
        results.push(await attempt(client, () => removeOne(client, path)));
      }
      if (paths.length > 0) continue;
      // A file that cannot be read may still have it.
      results.push(
        await attempt(client, async () => {
          const { path } = await findEntry(client, place);
          const action = "unchanged" as const;
          return { ok: true as const, client: client.name, path, action };
        }),
      );
    }
    const answer = {
      ok: results.every(({ ok }) => ok),
      client: positionals.length === 1 ? positionals[0]! : null,
      results,
    };
    await output.answer(answer, () => uninstallLines(answer, output.paint));
    return exitStatus(answer);
  },
});

/** Without a name nothing is said about a client: how it reaches us, and that it may only look, stays as it is. */
async function keptScope(
  context: Context,
  client: McpClient,
  { scope, values }: {
    readonly scope: McpScope;
    readonly values: Parameters<typeof mcpScope>[1];
  },
): Promise<McpScope> {
  const { entry } = await findEntry(client, scope.place);
  const address = entry === null ? null : addressOf(entry);
  if (address === null) return scope;
  return await mcpScope(context, {
    ...values,
    stdio: values.stdio || address.kind === "stdio",
    "read-only": values["read-only"] || grantOf(address).readOnly,
  });
}

async function installOne(
  { client, clients, scope, print }: {
    readonly client: McpClient;
    /** All that are set up together. */
    readonly clients: readonly McpClient[];
    readonly scope: McpScope;
    readonly print: boolean;
  },
): Promise<InstallResult> {
  const address = addressFor(client, scope);
  const entry = client.entry(address);
  const { path, text, entry: before } = await findEntry(client, scope.place);
  const other = otherScope(client);
  const isAlone = other === undefined || !clients.includes(other);
  const hasNoise = isAlone && await hasRival(client, address, scope);
  const was = before === null ? null : addressOf(before);
  const isWidened = was !== null && grantOf(was).readOnly &&
    !grantOf(address).readOnly;
  const result = {
    ok: true as const,
    client: client.name,
    path,
    format: client.format.name,
    snippet: snippetOf(client, entry),
    session: scope.session,
    url: address.kind === "http" ? address.url : null,
    warnings: [
      ...clientWarnings(client, scope),
      ...isWidened ? ["widened" as const] : [],
      ...hasNoise ? ["two_entries" as const] : [],
    ],
    next: client.next,
  };
  if (print) {
    const after = withEntry(client, text, { entry, path });
    const diff = changedLines(text ?? "", after).join("\n");
    const action = text === null
      ? "would_create"
      : diff === ""
      ? "unchanged"
      : "would_update";
    return { ...result, action, wrote: false, diff };
  }
  const action = await installEntry(client, path, entry);
  if (action === "deleted") {
    throw new TypeError("an installation deletes no file");
  }
  return { ...result, action, wrote: action !== "unchanged" };
}

/**
 * Whether the program will complain of its other entry.
 *
 * @throws {TaskmuxError} E104 if it would not start any more.
 */
async function hasRival(
  client: McpClient,
  address: McpAddress,
  { place }: McpScope,
): Promise<boolean> {
  const clash = await clashOf(client, address, place);
  if (clash.kind !== "fatal") return clash.kind === "noise";
  const { path, other } = clash;
  const way = address.kind === "http" ? "a command" : "an address";
  const same = address.kind === "http" ? "with --stdio" : "without --stdio";
  throw new TaskmuxError(
    "E104",
    `Cannot set up ${client.name}: "${path}" has ${way} for taskmux, and ${client.title} does not start with one of each`,
    {
      hint: `taskmux mcp uninstall ${other.name}, or install ${same}`,
      details: { client: client.name, path },
    },
  );
}

async function removeOne(
  client: McpClient,
  path: string,
): Promise<UninstallResult> {
  const action = await uninstallEntry(client, path);
  if (action === "created") {
    throw new TypeError("taking an entry out makes no file");
  }
  return { ok: true, client: client.name, path, action };
}

/** One client's trouble is not the others'. */
async function attempt<R>(
  client: McpClient,
  act: () => Promise<R>,
): Promise<R | FailedResult> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    const { code, message, hint } = error;
    return {
      ok: false,
      client: client.name,
      error: message,
      error_code: code,
      hint: hint ?? null,
    };
  }
}
