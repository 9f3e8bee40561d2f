/**
 * THE import table and the limits, as data. The lint plugin and the architecture tests read it; ARCHITECTURE.md shows it.
 * Changing it is a decision: commit it alone, with the reason.
 *
 * @module
 */

/** One layer: a folder of `src/`, or `main.ts`. */
export interface Layer {
  /** A file imports its own folder and folders of a lower rank. Never sideways. */
  readonly rank: number;
  /** Where given, the only lower folders it sees. */
  readonly only?: readonly string[];
  /** Folders of which it may import types, and values only by a literal `import()`. */
  readonly typesOf?: readonly string[];
}

/** Folder below `src/`, or `main.ts` → its place. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  kit: { rank: 0 },
  domain: { rank: 1 },
  contract: { rank: 2 },
  config: { rank: 2 },
  store: { rank: 3 },
  logs: { rank: 3 },
  pty: { rank: 3 },
  health: { rank: 3 },
  worktree: { rank: 3 },
  privilege: { rank: 3, only: ["config", "domain", "kit"] },
  service: { rank: 3, only: ["config", "domain", "kit"] },
  certs: { rank: 3, only: ["config", "domain", "kit"] },
  trust: { rank: 3, only: ["config", "domain", "kit"] },
  dns: { rank: 3, only: ["domain", "kit"] },
  resolvers: { rank: 3, only: ["config", "domain", "kit"] },
  tunnels: { rank: 3, only: ["config", "domain", "kit"] },
  transports: { rank: 3, only: ["contract", "domain", "kit"] },
  client: {
    rank: 3,
    only: ["contract", "config", "domain", "kit"],
    typesOf: ["contract"],
  },
  supervisor: {
    rank: 4,
    only: [
      "store",
      "logs",
      "pty",
      "health",
      "worktree",
      "config",
      "contract",
      "domain",
      "kit",
    ],
  },
  // Where programs are set up to use taskmux: their settings, and what agents read.
  agents: { rank: 3, only: ["config", "domain", "kit"] },
  // What agents and scripts ask, over any transport.
  mcp: { rank: 4, only: ["transports", "contract", "domain", "kit"] },
  api: { rank: 4, only: ["transports", "contract", "domain", "kit"] },
  proxy: { rank: 4, only: ["transports", "config", "domain", "kit"] },
  keeper: {
    rank: 4,
    only: ["pty", "logs", "config", "contract", "domain", "kit"],
    typesOf: ["contract"],
  },
  offline: { rank: 4 },
  daemon: { rank: 5 },
  cli: {
    rank: 6,
    only: [
      "offline",
      "client",
      "service",
      "agents",
      "mcp",
      "config",
      "contract",
      "domain",
      "kit",
    ],
    typesOf: ["contract", "mcp"],
  },
  "main.ts": { rank: 7, only: ["cli", "domain", "kit"] },
};

/** Files that count as free of weight although their folder is in a `typesOf`. */
export const LIGHT_FILES: readonly string[] = ["src/contract/wire.ts"];

/** Single imports that break the table, each with its reason. */
export const EXCEPTIONS: readonly {
  readonly from: string;
  readonly to: string;
  readonly why: string;
}[] = [];

/** Packages and weighty built-ins → the folders that may import them. Other packages are refused, other `node:` modules free. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@clack/prompts": ["cli"],
  "@logtape/file": ["daemon"],
  "@logtape/logtape": ["daemon", "supervisor"],
  "@lydell/node-pty": ["pty", "keeper"],
  "@modelcontextprotocol/sdk": ["mcp"],
  "dns-packet": ["dns"],
  // Tests only.
  "@modelcontextprotocol/conformance": [],
  "fast-check": [],
  "jsonc-parser": ["agents"],
  "node-forge": ["certs"],
  "smol-toml": ["config"],
  "toml-eslint-parser": ["config"],
  // Tools of MCP declare what they take and give, beside what they have from the contract.
  "zod": ["contract", "config", "daemon", "mcp", "store"],
  // Trust reads the databases of browsers, which are SQLite.
  "node:sqlite": ["store", "trust"],
  "node:child_process": [],
  "node:timers": ["kit"],
  "node:timers/promises": ["kit"],
};

/** Built-ins that cost the CLI 9 ms and more each, so it loads none of them before it knows its command. */
export const HEAVY_MODULES: readonly string[] = [
  "node:child_process",
  "node:crypto",
  "node:fs",
  "node:fs/promises",
  "node:http",
  "node:https",
  "node:net",
  "node:process",
  "node:readline",
  "node:stream",
  "node:tty",
  "node:zlib",
];

/** Built-ins a pure folder may use: they compute, they do not reach out. */
export const PURE_BUILTINS: readonly string[] = [
  "node:assert/strict",
  "node:path",
  "node:path/posix",
  "node:util",
];

/** Folders that read no clock, file, network, environment or chance. */
export const PURE_FOLDERS: readonly string[] = ["src/domain/"];

/** Published folders of text and data that any layer may import. */
export const ASSET_FOLDERS: readonly string[] = ["schema/", "skills/"];

/** Globals a pure folder does without; a trailing `*` stands for any ending. */
export const IMPURE_NAMES: readonly string[] = [
  "Deno.*",
  "Math.random",
  "crypto.*",
  "fetch",
  "process.*",
];

/** Programs: where a process begins, so where its surroundings may be read and its end decided. */
const PROGRAMS = [
  "main.ts",
  "src/daemon/main.ts",
  "src/keeper/main.ts",
  "tools/",
  "bench/",
  "tests/",
  "examples/",
];

/** What may only be named in some places. A path ending in `/` stands for all below it. */
export interface Confined {
  /** Global names; a trailing `*` stands for any ending. */
  readonly names: readonly string[];
  readonly places: readonly string[];
  /** Ends the sentence "Cannot use NAME here: …". */
  readonly why: string;
}

/** Globals and their places. */
export const CONFINED: readonly Confined[] = [
  {
    names: [
      "Date.now",
      "new Date()",
      "performance.now",
      "setTimeout",
      "setInterval",
      "Temporal.Now",
    ],
    places: ["src/kit/", "src/cli/render/", ...PROGRAMS],
    why: "time comes in as a Clock",
  },
  {
    names: ["Deno.dlopen", "Deno.Unsafe*"],
    places: ["src/pty/", "src/keeper/", "src/privilege/", "tests/"],
    why: "native code is the business of pty, keeper and privilege",
  },
  {
    names: ["console.*", "Deno.stdout*", "Deno.stderr*", "alert", "prompt"],
    places: ["src/cli/", ...PROGRAMS],
    why: "only the CLI prints, services have a log",
  },
  {
    names: ["Deno.exit", "Deno.args", "process.exit"],
    places: PROGRAMS,
    why: "only a program's entry point reads arguments and ends the process",
  },
  {
    names: ["Deno.env*", "Deno.cwd", "Deno.chdir"],
    places: ["src/cli/", "src/client/", ...PROGRAMS],
    why: "surroundings come in as arguments",
  },
];

/** Most lines of a file. */
export const MAX_FILE_LINES = 500;
/** Most lines of a test file. */
export const MAX_TEST_FILE_LINES = 800;
/** Most lines of a function. */
export const MAX_FUNCTION_LINES = 70;

/** File names that say nothing. */
export const BANNED_NAMES: readonly string[] = [
  "common.ts",
  "constants.ts",
  "helper.ts",
  "helpers.ts",
  "index.ts",
  "misc.ts",
  "shared.ts",
  "types.ts",
  "util.ts",
  "utils.ts",
];

/** Tests that may wait for time to pass: the clock's own, and the support that polls a condition. */
export const SLEEP_PLACES: readonly string[] = [
  "tests/fixtures/",
  "tests/support/",
  "tests/unit/kit/",
];

/** How an import refers to another file. */
export type ImportKind = "code" | "type" | "dynamic";

/** One import, paths relative to the repository. */
export interface ImportEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: ImportKind;
}

/** The layer of a file, or null outside the table (tests, tools, benches). */
export function layerOf(path: string): string | null {
  if (path === "main.ts") return path;
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** Why an import breaks the table, as the end of a sentence; null if it does not. */
export function layerViolation(edge: ImportEdge): string | null {
  const from = layerOf(edge.from);
  const to = layerOf(edge.to);
  if (from === null) return null;
  if (isPrivateElsewhere(edge)) return "it is private to its folder";
  if (from === to) return null;
  if (to === null) {
    return isInPlaces(edge.to, ASSET_FOLDERS)
      ? null
      : `"${edge.to}" is not part of the program`;
  }
  const known = LAYERS[from];
  const target = LAYERS[to];
  if (known === undefined) return `"${from}" is not in tools/layers.ts`;
  if (target === undefined) return `"${to}" is not in tools/layers.ts`;
  if (isExcepted(edge)) return null;
  if (target.rank === known.rank) {
    return `"${from}" and "${to}" are neighbours`;
  }
  if (target.rank > known.rank) return `"${to}" lies above "${from}"`;
  if (known.only !== undefined && !known.only.includes(to)) {
    return `"${from}" may only see ${known.only.join(", ")}`;
  }
  if (
    edge.kind === "code" && known.typesOf?.includes(to) &&
    !LIGHT_FILES.includes(edge.to)
  ) {
    return `"${from}" may see only types of "${to}", or load it by import()`;
  }
  return null;
}

/** Why a file may not import a package or built-in, as the end of a sentence; null if it may. */
export function packageViolation(
  from: string,
  specifier: string,
): string | null {
  const layer = layerOf(from);
  if (layer === null) return null;
  const name = packageName(specifier);
  if (isInPlaces(from, PURE_FOLDERS) && !PURE_BUILTINS.includes(name)) {
    return "the folder is pure";
  }
  const allowed = PACKAGES[name];
  if (allowed === undefined) {
    return name.startsWith("node:")
      ? null
      : `"${name}" is not in tools/layers.ts`;
  }
  if (allowed.includes(layer)) return null;
  return allowed.length === 0
    ? `nothing may import "${name}"`
    : `"${name}" belongs to ${allowed.join(", ")}`;
}

/** Whether a path is one of the places, or below one that ends in `/`. */
export function isInPlaces(path: string, places: readonly string[]): boolean {
  return places.some((place) =>
    place.endsWith("/") ? path.startsWith(place) : path === place
  );
}

/** `_x.ts` may be imported from its own folder only. */
function isPrivateElsewhere({ from, to }: ImportEdge): boolean {
  const [, folder, name] = /^(.*\/)?([^/]*)$/.exec(to) ?? [];
  return name?.startsWith("_") === true &&
    from.slice(0, from.lastIndexOf("/") + 1) !== (folder ?? "");
}

function isExcepted(edge: ImportEdge): boolean {
  return EXCEPTIONS.some((exception) =>
    exception.from === edge.from && exception.to === edge.to
  );
}

/** `npm:@scope/name@1/sub` and `@scope/name/sub` → `@scope/name`. */
function packageName(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  const bare = specifier.replace(/^npm:\/?/, "");
  return /^(?:@[^/]+\/)?[^/@]+/.exec(bare)?.[0] ?? bare;
}
