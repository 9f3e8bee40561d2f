/**
 * For which project an agent is set up, and the address that says so.
 *
 * @module
 */

import {
  httpAddress,
  type McpAddress,
  stdioAddress,
} from "../agents/mcp_address.ts";
import type { McpClient, Place } from "../agents/mcp_clients.ts";
import { findConfig } from "../config/find_config.ts";
import { type HostConfig, loadHostConfig } from "../config/host_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import { folderOf } from "../kit/path.ts";
import type { Context } from "./context.ts";
import type { OptionSpecs, Values } from "./command.ts";
import { existingFile, projectScope } from "./project.ts";

/** Options by which one says what an agent may see. */
export const SCOPE_OPTIONS = {
  session: {
    type: "string",
    value: "NAME",
    summary: "The project that the agent sees (default: that of the folder)",
  },
  unscoped: {
    type: "boolean",
    summary: "Let the agent see and change every project",
  },
  "read-only": { type: "boolean", summary: "Let it look, not change" },
  stdio: {
    type: "boolean",
    summary:
      "Have it start 'taskmux mcp serve', which finds the project of the folder",
  },
} as const satisfies OptionSpecs;

/** What is odd about an installation, as a word of the JSON and as a sentence. */
export const SCOPE_WARNINGS = {
  unscoped_install:
    "UNSCOPED: the agent will see and change the tasks of every project of this user",
  user_scope_pinned:
    "holds in every folder, but is about this project only; --stdio finds the project of each",
  unknown_session: "no project of that name is registered: taskmux daemon list",
  mcp_disabled: "MCP is switched off: taskmux config set mcp.enabled true",
  widened: "may change things from now on; until now it could only look",
  two_entries:
    "set up for the user and for the project, with two addresses: the program uses one and complains; taskmux mcp status",
  not_on_path:
    'there is no "taskmux" on the PATH, so the agent may not find it',
} as const;

/** A word of {@linkcode SCOPE_WARNINGS}. */
export type ScopeWarning = keyof typeof SCOPE_WARNINGS;

/** See the module. */
export interface McpScope {
  /** Null = every project, or over stdio that of the folder. */
  readonly session: string | null;
  readonly address: McpAddress;
  readonly place: Place;
  readonly warnings: readonly ScopeWarning[];
  /** Whether nothing says what it is about: outside a project, where only a program that runs everywhere is set up. */
  readonly isNowhere: boolean;
}

/**
 * The place where settings are looked for. The root is the folder of the project, else the one worked in.
 *
 * @throws {TaskmuxError} E100 if a file was named that is not there, E500 without HOME.
 */
export function mcpPlace(
  context: Context,
): { readonly place: Place; readonly config: string | null } {
  const env = context.env();
  const home = env["HOME"] ?? "";
  if (!home.startsWith("/")) {
    throw new TaskmuxError("E500", "Cannot find settings: HOME is not set", {
      hint: "export HOME=/an/absolute/path",
    });
  }
  const config = context.config === null
    ? findConfig(context.folder)
    : projectScope(context).config;
  const root = config === null ? context.folder : folderOf(config);
  return { place: { home, env, root }, config };
}

/**
 * What the options say. Without any, the project of the folder; where there is none, nothing is guessed.
 *
 * @throws {TaskmuxError} E100 outside a project, E104 if the port of the API changes, E500 for options that contradict.
 */
export async function mcpScope(
  context: Context,
  values: Values<typeof SCOPE_OPTIONS>,
): Promise<McpScope> {
  const { session, unscoped, stdio } = values;
  if (session !== null && unscoped) {
    throw new TaskmuxError(
      "E500",
      "Cannot set an agent up for one project and for all: --session and --unscoped contradict",
    );
  }
  const { place, config } = mcpPlace(context);
  const host = (await loadHostConfig(context.paths.hostConfig)).config;
  const byFolder = stdio && session === null && !unscoped;
  const chosen = byFolder || unscoped
    ? null
    : session === null
    ? await projectId(context, config)
    : nonEmpty(session);
  const grant = { session: chosen, readOnly: values["read-only"] };
  const address = stdio
    ? stdioAddress("taskmux", { ...grant, unscoped }, homeVariable(place))
    : httpAddress({ port: fixedPort(host), path: host.mcp.path }, grant);
  const warnings: ScopeWarning[] = [];
  if (unscoped) warnings.push("unscoped_install");
  if (session !== null && !await isRegistered(context, session)) {
    warnings.push("unknown_session");
  }
  if (!host.mcp.enabled) warnings.push("mcp_disabled");
  if (stdio && onPath(place) === null) warnings.push("not_on_path");
  const isNowhere = byFolder && config === null;
  return { session: chosen, address, place, warnings, isNowhere };
}

/**
 * The address as it suits a client: what is for this machine alone names the program by its path.
 *
 * @throws {TaskmuxError} E100 for the settings of a project where there is none.
 */
export function addressFor(client: McpClient, scope: McpScope): McpAddress {
  const { address, place, isNowhere } = scope;
  if (isNowhere && client.scope === "project") {
    throw noProject(place.root, "cd into a project");
  }
  if (address.kind === "http" || client.scope === "project") return address;
  return { ...address, command: onPath(place) ?? address.command };
}

/** What is odd about one client in this scope. */
export function clientWarnings(
  client: McpClient,
  scope: McpScope,
): readonly ScopeWarning[] {
  const isOdd = client.scope === "user" && scope.session !== null;
  return isOdd ? ["user_scope_pinned"] : [];
}

/** The id of a project as the daemon would tell it. */
export async function projectId(
  { folder, paths, env }: Context,
  config: string | null,
): Promise<string> {
  if (config === null) throw noProject(folder);
  const { openProjectFiles } = await import("../offline/project_files.ts");
  using project = await openProjectFiles({ paths, env }, config, {
    tolerant: true,
  });
  return project.identity.projectId;
}

function noProject(
  folder: string,
  hint = "cd into a project, or give --stdio (finds the project of each " +
    "folder), --session NAME or --unscoped",
): TaskmuxError {
  return new TaskmuxError(
    "E100",
    `Cannot tell for which project: there is no taskmux.toml in "${folder}" or above`,
    { hint, details: { path: folder } },
  );
}

/**
 * The port of the API, if it stays.
 *
 * @throws {TaskmuxError} E104 if it is another one with each daemon.
 */
function fixedPort({ apiPort }: HostConfig): number {
  if (apiPort > 0) return apiPort;
  throw new TaskmuxError(
    "E104",
    "Cannot give an agent the address of the daemon: api_port is 0, so it changes with every start",
    {
      hint: "taskmux config set api_port 8765, or --stdio",
      details: { key: "api_port" },
    },
  );
}

function nonEmpty(session: string): string {
  const name = session.trim();
  if (name !== "") return name;
  throw new TaskmuxError("E500", "Cannot use --session: it is empty");
}

/** What a program must hand over so that another state folder is found. */
function homeVariable({ env }: Place): Record<string, string> {
  const home = env["TASKMUX_HOME"];
  return home === undefined || home === "" ? {} : { TASKMUX_HOME: home };
}

/** Whether the registry has a project of this id. */
export async function isRegistered(
  { paths }: Context,
  session: string,
): Promise<boolean> {
  const { readProjects } = await import("../offline/daemon.ts");
  const { projects } = await readProjects(paths);
  return projects.some((project) => project.session === session);
}

function onPath({ env }: Place): string | null {
  return (env["PATH"] ?? "").split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => existingFile(`${folder}/taskmux`))
    .find((path) => path !== null) ?? null;
}
