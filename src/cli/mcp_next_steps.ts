/**
 * What is left to do until an agent finds the daemon.
 *
 * @module
 */

import { MCP_CLIENTS } from "../agents/mcp_clients.ts";
import { otherScope } from "../agents/entry_clash.ts";
import type { Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { loadHostConfig } from "../config/host_config.ts";
import type { Context } from "./context.ts";
import { askOrRead } from "./daemon_access.ts";
import type { ClientReport, NextStep } from "./mcp_results.ts";
import { isRegistered } from "./mcp_scope.ts";

/** What the daemon tells of its MCP server; without a daemon, that there is none. */
export async function mcpServer(
  context: Context,
): Promise<Result<"mcp.status"> & { readonly running: boolean }> {
  const server = await askOrRead(context, ["mcp.status", {}], async () => {
    const { readMcpStatus } = await import("../offline/mcp.ts");
    return await readMcpStatus(context.paths);
  });
  return { ...server, running: server["running"] !== false };
}

/** The address that the settings give the daemon, without a project; null if its port changes with every start. */
export async function configuredUrl({ paths }: Context): Promise<
  string | null
> {
  const { apiPort, mcp } = (await loadHostConfig(paths.hostConfig)).config;
  return apiPort === 0 ? null : `http://localhost:${apiPort}${mcp.path}`;
}

/** An address without what it grants, this machine under one name. */
export function placeOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, hostname, port, pathname } = new URL(url);
  const host = ["127.0.0.1", "[::1]"].includes(hostname)
    ? "localhost"
    : hostname;
  return `${protocol}//${host}:${port}${pathname.replace(/\/+$/, "")}`;
}

/**
 * What keeps an agent from being answered at an address that was just written. A daemon in trouble is not what was
 * asked about: then nothing.
 *
 * @param session The project of the address; null = all.
 */
export async function stepsToServe(
  context: Context,
  url: string,
  session: string | null,
): Promise<readonly NextStep[]> {
  try {
    const { running, url: served, enabled } = await mcpServer(context);
    const isKnown = session === null || await isRegistered(context, session);
    const command = session === null ? "taskmux daemon start" : "taskmux start";
    if (!running) {
      const why = "the daemon has to run when an agent starts; " +
        '"taskmux daemon install" has it start with the machine';
      return [{ command, why }];
    }
    if (served === null) return [unserved(enabled)];
    if (placeOf(served) !== placeOf(url)) return [elsewhere(served)];
    return isKnown
      ? []
      : [{ command, why: "the daemon does not know this project yet" }];
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return [];
  }
}

/** What to type so that every agent that is set up is answered. */
export function stepsToRepair(
  { server, clients, configured }: {
    readonly server: Result<"mcp.status"> & { readonly running: boolean };
    readonly clients: readonly ClientReport[];
    readonly configured: string | null;
  },
): readonly NextStep[] {
  const { running, enabled, url: served } = server;
  const steps: NextStep[] = [];
  const isAddressed = clients.some(({ url }) => url !== null);
  if (running && served === null) {
    // The problem says itself what to do.
    if (!enabled || !server.problem) steps.push(unserved(enabled));
  } else if (!running && isAddressed) {
    const why = "without it an address leads nowhere; " +
      '"taskmux daemon install" has it start with the machine';
    steps.push({ command: "taskmux daemon start", why });
  }
  const hasMoved = served !== null && configured !== null &&
    placeOf(served) !== placeOf(configured);
  if (hasMoved) steps.push(elsewhere(served));
  const clashing = clients.filter(({ problems }) => problems.includes("clash"));
  steps.push(...unclash(clashing));
  const others = clients.filter(({ problems }) =>
    problems.includes("other_session") && !problems.includes("clash")
  );
  steps.push(
    ...install(others, "--stdio", "finds the project of each folder"),
  );
  const stale = clients.filter((client) =>
    client.problems.includes("stale_url") && !others.includes(client)
  );
  if (!hasMoved) {
    steps.push(...install(stale, "", "writes the address that holds now"));
  }
  return steps;
}

function unserved(isEnabled: boolean): NextStep {
  return isEnabled
    ? { command: "taskmux daemon status", why: "tells why there is no port" }
    : {
      command: "taskmux config set mcp.enabled true && taskmux daemon restart",
      why: "MCP is switched off",
    };
}

function elsewhere(served: string): NextStep {
  return {
    command: "taskmux daemon restart",
    why: `it still listens at ${served}, which the settings do not say any ` +
      "more",
  };
}

function unclash(clients: readonly ClientReport[]): NextStep[] {
  const rivals = MCP_CLIENTS.filter((client) =>
    client.scope === "user" &&
    clients.some(({ client: name }) => otherScope(client)?.name === name)
  );
  return rivals.map(({ name }) => ({
    command: `taskmux mcp uninstall ${name}`,
    why: "the project's entry remains",
  }));
}

/** Those that only look still do afterwards. */
function install(
  clients: readonly ClientReport[],
  option: string,
  why: string,
): NextStep[] {
  return [false, true].flatMap((readOnly) => {
    const names = clients.filter(({ read_only }) => read_only === readOnly)
      .map(({ client }) => client);
    if (names.length === 0) return [];
    const words = ["taskmux mcp install", ...names, option];
    if (readOnly) words.push("--read-only");
    return [{ command: words.filter((word) => word !== "").join(" "), why }];
  });
}
