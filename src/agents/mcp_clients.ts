/**
 * THE table of programs that speak MCP: which file each one really reads, and what an entry in it looks like. What a
 * program of which version does with it is in docs/decisions/0030 and tried by `deno task test:clients`.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import type { JsonSyntax } from "./json_text.ts";
import type { McpAddress } from "./mcp_address.ts";

/** Every client, those of a project first. */
export const CLIENT_NAMES = [
  "claude-project",
  "cursor-project",
  "codex-project",
  "opencode-project",
  "gemini-project",
  "vscode",
  "claude",
  "cursor",
  "codex",
  "opencode",
  "gemini",
] as const;

/** A name of {@linkcode CLIENT_NAMES}. */
export type ClientName = typeof CLIENT_NAMES[number];

/** Where settings are looked for. */
export interface Place {
  /** The user's home folder. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** The folder of the project, else the one worked in. */
  readonly root: string;
}

/** How a settings file is written. */
export type SettingsFormat =
  | {
    readonly name: "json" | "jsonc";
    /** What the program itself reads. */
    readonly syntax: JsonSyntax;
  }
  | { readonly name: "toml" };

/** The settings of one program in one scope. */
export interface McpClient {
  readonly name: ClientName;
  /** What people call the program. */
  readonly title: string;
  /** Whether it holds for one project, or for everything this user does. */
  readonly scope: "project" | "user";
  readonly format: SettingsFormat;
  /** The key of the object of all servers. */
  readonly table: string;
  /** Keys of an entry that say how to reach the server, and so are ours; all others are the user's. */
  readonly ownKeys: readonly string[];
  /** Members of a new file beside the servers. */
  readonly preamble: JsonObject;
  /** Absolute paths: those that the program reads, the strongest first; the one to make if there is none. */
  files(
    place: Place,
  ): { readonly read: readonly string[]; readonly fresh: string };
  /** Absolute paths of which one exists where the program is in use. */
  marks(place: Place): readonly string[];
  /**
   * What the program makes of an entry in both scopes that lead to different places: it takes one (`fine`), takes one
   * and complains (`complains`), or puts their keys together and fails where one is an address and one a command
   * (`merges`).
   */
  readonly mixing: "fine" | "complains" | "merges";
  /** The entry for an address. */
  entry(address: McpAddress): JsonObject;
  /** What is left to do for the user after an installation, a sentence. */
  readonly next: string;
}

const STRICT: SettingsFormat = {
  name: "json",
  syntax: { comments: false, trailingCommas: false },
};
const COMMENTED: SettingsFormat = {
  name: "json",
  syntax: { comments: true, trailingCommas: false },
};
const JSONC: SettingsFormat = {
  name: "jsonc",
  syntax: { comments: true, trailingCommas: true },
};

/** What is the same for a program in both scopes. */
type Program = Pick<
  McpClient,
  "title" | "format" | "table" | "ownKeys" | "preamble" | "mixing" | "entry"
>;

/** Claude Code, Cursor, VS Code. */
function typedEntry(address: McpAddress): JsonObject {
  if (address.kind === "http") return { type: "http", url: address.url };
  return { type: "stdio", ...commandEntry(address) };
}

function commandEntry(
  { command, args, env }: Extract<McpAddress, { kind: "stdio" }>,
): JsonObject {
  const isPlain = Object.keys(env).length === 0;
  return { command, args: [...args], ...isPlain ? {} : { env } };
}

const TYPED_KEYS = ["type", "url", "command", "args", "env"];

const CLAUDE: Program = {
  title: "Claude Code",
  format: STRICT,
  table: "mcpServers",
  ownKeys: TYPED_KEYS,
  preamble: {},
  mixing: "complains",
  entry: typedEntry,
};

const CURSOR: Program = {
  ...CLAUDE,
  title: "Cursor",
  format: JSONC,
  mixing: "fine",
};

const VSCODE: Program = {
  ...CLAUDE,
  title: "VS Code",
  format: JSONC,
  mixing: "fine",
  table: "servers",
};

const CODEX: Program = {
  title: "Codex",
  format: { name: "toml" },
  table: "mcp_servers",
  ownKeys: ["url", "command", "args", "env", "enabled"],
  preamble: {},
  mixing: "merges",
  entry: (address) =>
    address.kind === "http" ? { url: address.url } : commandEntry(address),
};

const OPENCODE: Program = {
  title: "OpenCode",
  format: JSONC,
  table: "mcp",
  ownKeys: ["type", "url", "command", "environment", "enabled"],
  preamble: { $schema: "https://opencode.ai/config.json" },
  mixing: "fine",
  entry: (address) => {
    if (address.kind === "http") {
      return { type: "remote", url: address.url, enabled: true };
    }
    const { command, args, env } = address;
    const isPlain = Object.keys(env).length === 0;
    return {
      type: "local",
      command: [command, ...args],
      ...isPlain ? {} : { environment: env },
      enabled: true,
    };
  },
};

const GEMINI: Program = {
  title: "Gemini CLI",
  format: COMMENTED,
  table: "mcpServers",
  ownKeys: ["type", "url", "httpUrl", "command", "args", "env"],
  preamble: {},
  mixing: "fine",
  entry: (address) =>
    address.kind === "http" ? { httpUrl: address.url } : commandEntry(address),
};

const PROJECT_CLIENTS: readonly McpClient[] = [
  {
    ...CLAUDE,
    name: "claude-project",
    scope: "project",
    files: ({ root }) => only(`${root}/.mcp.json`),
    marks: ({ root }) => [`${root}/.mcp.json`, `${root}/.claude`],
    next: 'Start "claude" in this project and approve the server "taskmux"',
  },
  {
    ...CURSOR,
    name: "cursor-project",
    scope: "project",
    files: ({ root }) => only(`${root}/.cursor/mcp.json`),
    marks: ({ root }) => [`${root}/.cursor`],
    next: 'Reload Cursor and enable "taskmux" in its settings, under MCP',
  },
  {
    ...CODEX,
    name: "codex-project",
    scope: "project",
    files: ({ root }) => only(`${root}/.codex/config.toml`),
    marks: ({ root }) => [`${root}/.codex`],
    next: 'Restart "codex" and let it trust this project: else it reads no ' +
      "settings of it",
  },
  {
    ...OPENCODE,
    name: "opencode-project",
    scope: "project",
    files: ({ root }) => ({
      read: openCodeFiles(root, ["opencode.jsonc", "opencode.json"]).concat(
        openCodeFiles(`${root}/.opencode`, ["opencode.jsonc", "opencode.json"]),
      ),
      fresh: `${root}/opencode.json`,
    }),
    marks: ({ root }) => [
      `${root}/opencode.json`,
      `${root}/opencode.jsonc`,
      `${root}/.opencode`,
    ],
    next: 'Restart "opencode"',
  },
  {
    ...GEMINI,
    name: "gemini-project",
    scope: "project",
    files: ({ root }) => only(`${root}/.gemini/settings.json`),
    marks: ({ root }) => [`${root}/.gemini`],
    next:
      'Start "gemini" in the folder of this file, not below it, and trust it',
  },
  {
    ...VSCODE,
    name: "vscode",
    scope: "project",
    files: ({ root }) => only(`${root}/.vscode/mcp.json`),
    marks: ({ root }) => [`${root}/.vscode`],
    next: 'Run "MCP: List Servers" in VS Code and start "taskmux"',
  },
];

const USER_CLIENTS: readonly McpClient[] = [
  {
    ...CLAUDE,
    name: "claude",
    scope: "user",
    // An older file, where it is there, is read instead of the other.
    files: ({ home, env }) => {
      const folder = env["CLAUDE_CONFIG_DIR"] || null;
      const fresh = `${folder ?? home}/.claude.json`;
      const older = `${folder ?? `${home}/.claude`}/.config.json`;
      return { read: [older, fresh], fresh };
    },
    marks: ({ home, env }) => [
      env["CLAUDE_CONFIG_DIR"] || `${home}/.claude`,
      `${home}/.claude.json`,
    ],
    next: 'Restart "claude"',
  },
  {
    ...CURSOR,
    name: "cursor",
    scope: "user",
    files: ({ home }) => only(`${home}/.cursor/mcp.json`),
    marks: ({ home }) => [`${home}/.cursor`],
    next: 'Reload Cursor and enable "taskmux" in its settings, under MCP',
  },
  {
    ...CODEX,
    name: "codex",
    scope: "user",
    files: (place) => only(`${codexFolder(place)}/config.toml`),
    marks: (place) => [codexFolder(place)],
    next: 'Restart "codex"',
  },
  {
    ...OPENCODE,
    name: "opencode",
    scope: "user",
    files: ({ home, env }) => {
      const folder = `${env["XDG_CONFIG_HOME"] || `${home}/.config`}/opencode`;
      const named = env["OPENCODE_CONFIG"] || null;
      const usual = openCodeFiles(folder, [
        "opencode.jsonc",
        "opencode.json",
        "config.json",
      ]);
      return named?.startsWith("/") === true
        ? { read: [named, ...usual], fresh: named }
        : { read: usual, fresh: `${folder}/opencode.json` };
    },
    marks: ({ home, env }) => [
      `${env["XDG_CONFIG_HOME"] || `${home}/.config`}/opencode`,
    ],
    next: 'Restart "opencode"',
  },
  {
    ...GEMINI,
    name: "gemini",
    scope: "user",
    files: (place) => only(`${geminiFolder(place)}/settings.json`),
    marks: (place) => [geminiFolder(place)],
    next: 'Restart "gemini"; it connects only in folders that it trusts',
  },
];

/** The clients in the order of {@linkcode CLIENT_NAMES}. */
export const MCP_CLIENTS: readonly McpClient[] = [
  ...PROJECT_CLIENTS,
  ...USER_CLIENTS,
];

/** The client of a name. */
export function findClient(name: string): McpClient | undefined {
  return MCP_CLIENTS.find((client) => client.name === name);
}

function only(
  path: string,
): { readonly read: readonly string[]; readonly fresh: string } {
  return { read: [path], fresh: path };
}

function openCodeFiles(folder: string, names: readonly string[]): string[] {
  return names.map((name) => `${folder}/${name}`);
}

function codexFolder({ home, env }: Place): string {
  return env["CODEX_HOME"] || `${home}/.codex`;
}

function geminiFolder({ home, env }: Place): string {
  return `${env["GEMINI_CLI_HOME"] || home}/.gemini`;
}
