/**
 * `taskmux mcp status`
 *
 * @module
 */

import { findEntry, snippetOf } from "../../../agents/client_settings.ts";
import { clashOf } from "../../../agents/entry_clash.ts";
import {
  addressOf,
  grantOf,
  httpAddress,
} from "../../../agents/mcp_address.ts";
import {
  findClient,
  MCP_CLIENTS,
  type McpClient,
  type Place,
} from "../../../agents/mcp_clients.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import type { JsonObject } from "../../../kit/json.ts";
import { isInUse } from "../../choose_clients.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { existingFile } from "../../project.ts";
import {
  configuredUrl,
  mcpServer,
  placeOf,
  stepsToRepair,
} from "../../mcp_next_steps.ts";
import { mcpPlace, projectId } from "../../mcp_scope.ts";
import type { ClientReport, LocalReport, PROBLEMS } from "../../mcp_results.ts";
import { mcpStatusLines } from "../../render/mcp.ts";

/** Tells who is connected, and who is set up. */
export const mcpStatus = command({
  usage: "",
  about: "Tells where agents find taskmux, which are connected, and what " +
    "stands in their settings. Works\nwithout a daemon.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux mcp status", "When an agent does not see taskmux"]],
  async run(context) {
    const { output } = context;
    const server = await mcpServer(context);
    const { place, config } = mcpPlace(context);
    const { session, configError } = await projectHere(context, config);
    const configured = await configuredUrl(context);
    // The daemon's, else the one it will have.
    const base = server.url?.replace("127.0.0.1", "localhost") ?? configured;
    const clients: ClientReport[] = [];
    for (const client of MCP_CLIENTS) {
      clients.push(await reportOf(client, { place, session, base }));
    }
    const local = session === null
      ? null
      : localReport({ session, base, place, clients });
    const next = stepsToRepair({ server, clients, configured });
    const report = {
      ...server,
      local,
      config_error: configError,
      clients,
      next,
    };
    await output.answer(report, () => mcpStatusLines(report, output));
    return EXIT.ok;
  },
});

/** Whoever asks why an agent sees nothing is told even where the project cannot be read. */
async function projectHere(
  context: Context,
  config: string | null,
): Promise<
  { readonly session: string | null; readonly configError: string | null }
> {
  if (config === null) return { session: null, configError: null };
  try {
    const session = await projectId(context, config);
    return { session, configError: null };
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return { session: null, configError: error.message };
  }
}

async function reportOf(
  client: McpClient,
  { place, session, base }: {
    readonly place: Place;
    readonly session: string | null;
    readonly base: string | null;
  },
): Promise<ClientReport> {
  const report = {
    client: client.name,
    scope: client.scope,
    detected: isInUse(client, place),
    url: null,
    command: null,
    session: null,
    read_only: false,
    problems: [],
    error: null,
  };
  const { fresh } = client.files(place);
  try {
    const { path, entry } = await findEntry(client, place);
    if (entry === null) return { ...report, path, state: "absent" };
    const found = describe(entry);
    const { unscoped: _, ...shown } = found;
    const hasClash = await isFatal(client, entry, place);
    const problems = problemsOf(found, { entry, session, base, hasClash });
    const state = problems.length === 0 ? "ready" : "attention";
    return { ...report, ...shown, path, problems, state };
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    const { message } = error;
    return { ...report, path: fresh, state: "unreadable", error: message };
  }
}

interface Described {
  readonly url: string | null;
  readonly command: readonly string[] | null;
  readonly session: string | null;
  readonly read_only: boolean;
  readonly unscoped: boolean;
}

function describe(entry: JsonObject): Described {
  const address = addressOf(entry);
  if (address === null) {
    return {
      url: null,
      command: null,
      session: null,
      read_only: false,
      unscoped: false,
    };
  }
  const { session, readOnly, unscoped } = grantOf(address);
  const granted = { session, read_only: readOnly, unscoped };
  return address.kind === "http"
    ? { url: address.url, command: null, ...granted }
    : { url: null, command: [address.command, ...address.args], ...granted };
}

/** Whether a program does not start for what its other entry says. */
async function isFatal(
  client: McpClient,
  entry: JsonObject,
  place: Place,
): Promise<boolean> {
  const address = addressOf(entry);
  if (address === null) return false;
  return (await clashOf(client, address, place)).kind === "fatal";
}

/** What is wrong with an entry, seen from the project one stands in and the address of the daemon. */
function problemsOf(
  { url, command, session, unscoped }: Described,
  expected: {
    readonly entry: JsonObject;
    readonly session: string | null;
    readonly base: string | null;
    readonly hasClash: boolean;
  },
): (keyof typeof PROBLEMS)[] {
  const { entry, base } = expected;
  const isDisabled = entry["enabled"] === false || entry["disabled"] === true;
  const isStale = url !== null && base !== null &&
    placeOf(url) !== placeOf(base);
  const isOther = session !== null && expected.session !== null &&
    session !== expected.session;
  const problems = {
    no_address: url === null && command === null,
    disabled: isDisabled,
    stale_url: isStale,
    other_session: isOther,
    unscoped,
    clash: expected.hasClash,
  };
  return (Object.keys(problems) as (keyof typeof PROBLEMS)[])
    .filter((word) => problems[word]);
}

function localReport(
  { session, base, place, clients }: {
    readonly session: string;
    readonly base: string | null;
    readonly place: Place;
    readonly clients: readonly ClientReport[];
  },
): LocalReport {
  const own = findClient("claude-project");
  const report = clients.find(({ client }) => client === own?.name);
  const port = base === null ? 0 : Number(new URL(base).port);
  const address = base === null || own === undefined ? null : httpAddress(
    { port, path: new URL(base).pathname },
    { session, readOnly: false },
  );
  return {
    session,
    project_root: place.root,
    url: address?.kind === "http" ? address.url : null,
    mcp_json: `${place.root}/.mcp.json`,
    mcp_json_present: existingFile(`${place.root}/.mcp.json`) !== null,
    mcp_json_url: report?.url ?? null,
    snippet: address === null || own === undefined
      ? null
      : snippetOf(own, own.entry(address)),
  };
}
