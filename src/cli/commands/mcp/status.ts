/**
 * `taskmux mcp status`
 *
 * @module
 */

import { findEntry, snippetOf } from "../../../agents/client_settings.ts";
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
import { loadHostConfig } from "../../../config/host_config.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import type { JsonObject } from "../../../kit/json.ts";
import { isInUse } from "../../choose_clients.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { askOrRead } from "../../daemon_access.ts";
import { existingFile } from "../../project.ts";
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
    const server = await askOrRead(context, ["mcp.status", {}], async () => {
      const { readMcpStatus } = await import("../../../offline/mcp.ts");
      return await readMcpStatus(context.paths);
    });
    const { place, config } = mcpPlace(context);
    const session = config === null ? null : await projectId(context, config);
    const base = await expectedUrl(context, server.url);
    const clients: ClientReport[] = [];
    for (const client of MCP_CLIENTS) {
      clients.push(await reportOf(client, { place, session, base }));
    }
    const local = session === null
      ? null
      : localReport({ session, base, place, clients });
    const running = server["running"] !== false;
    const report = { ...server, running, local, clients };
    await output.answer(report, () => mcpStatusLines(report, output));
    return EXIT.ok;
  },
});

/** The address without a project: the daemon's, else the one it will have; null if that changes. */
async function expectedUrl(
  { paths }: Context,
  served: string | null,
): Promise<string | null> {
  if (served !== null) return served.replace("127.0.0.1", "localhost");
  const { apiPort, mcp } = (await loadHostConfig(paths.hostConfig)).config;
  if (apiPort === 0) return null;
  return `http://localhost:${apiPort}${mcp.path}`;
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
    problems: [],
    error: null,
  };
  const { fresh } = client.files(place);
  try {
    const { path, entry } = await findEntry(client, place);
    if (entry === null) return { ...report, path, state: "absent" };
    const found = describe(entry);
    const { unscoped: _, ...shown } = found;
    const problems = problemsOf(found, { entry, session, base });
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
  readonly unscoped: boolean;
}

function describe(entry: JsonObject): Described {
  const address = addressOf(entry);
  if (address === null) {
    return { url: null, command: null, session: null, unscoped: false };
  }
  const { session, unscoped } = grantOf(address);
  return address.kind === "http"
    ? { url: address.url, command: null, session, unscoped }
    : {
      url: null,
      command: [address.command, ...address.args],
      session,
      unscoped,
    };
}

/** What is wrong with an entry, seen from the project one stands in and the address of the daemon. */
function problemsOf(
  { url, command, session, unscoped }: Described,
  expected: {
    readonly entry: JsonObject;
    readonly session: string | null;
    readonly base: string | null;
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
  };
  return (Object.keys(problems) as (keyof typeof PROBLEMS)[])
    .filter((word) => problems[word]);
}

/** An address without what it grants, this machine under one name. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, hostname, port, pathname } = new URL(url);
  const host = ["127.0.0.1", "[::1]"].includes(hostname)
    ? "localhost"
    : hostname;
  return `${protocol}//${host}:${port}${pathname.replace(/\/+$/, "")}`;
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
