/**
 * How a program reaches our MCP server: over HTTP, or by a command that it starts itself.
 *
 * @module
 */

import type { Json, JsonObject } from "../kit/json.ts";

/** The name of the server in every program's settings. */
export const SERVER_NAME = "taskmux";

/** One way to the server. */
export type McpAddress =
  | { readonly kind: "http"; readonly url: string }
  | {
    readonly kind: "stdio";
    readonly command: string;
    readonly args: readonly string[];
    /** Variables that the program must hand over. */
    readonly env: Readonly<Record<string, string>>;
  };

/** What a connection may see and do. */
export interface McpGrant {
  /** The one project; null = any, or that of the folder where the folder decides. */
  readonly session: string | null;
  readonly readOnly: boolean;
}

/** The address of the server of a daemon. */
export function httpAddress(
  { port, path }: { readonly port: number; readonly path: string },
  { session, readOnly }: McpGrant,
): McpAddress {
  const url = new URL(`http://localhost:${port}`);
  url.pathname = path.replace(/\/+$/, "");
  if (session !== null) url.searchParams.set("session", session);
  if (readOnly) url.searchParams.set("access", "read");
  return { kind: "http", url: url.href };
}

/** The command that speaks MCP over its input and output, for the project of the folder it is started in. */
export function stdioAddress(
  command: string,
  { session, readOnly, unscoped }: McpGrant & { readonly unscoped: boolean },
  env: Readonly<Record<string, string>>,
): McpAddress {
  const args = ["mcp", "serve"];
  if (session !== null) args.push("--session", session);
  if (unscoped) args.push("--unscoped");
  if (readOnly) args.push("--read-only");
  return { kind: "stdio", command, args, env };
}

/** The way that an entry of any program's settings describes; null if it describes none. */
export function addressOf(entry: JsonObject): McpAddress | null {
  const url = entry["url"] ?? entry["httpUrl"];
  if (typeof url === "string") return { kind: "http", url };
  const words = wordsOf(entry["command"]);
  const [command, ...args] = [...words, ...wordsOf(entry["args"])];
  return command === undefined
    ? null
    : { kind: "stdio", command, args, env: {} };
}

/** What an address grants, and whether every project is meant. */
export function grantOf(
  address: McpAddress,
): McpGrant & { readonly unscoped: boolean } {
  if (address.kind === "stdio") {
    const { args } = address;
    return {
      session: valueAfter("--session", args),
      readOnly: args.includes("--read-only"),
      unscoped: args.includes("--unscoped"),
    };
  }
  const params = URL.canParse(address.url)
    ? new URL(address.url).searchParams
    : new URLSearchParams();
  const session = params.get("session")?.trim() || null;
  const readOnly = params.get("access") === "read";
  return { session, readOnly, unscoped: session === null };
}

function valueAfter(option: string, args: readonly string[]): string | null {
  const at = args.indexOf(option);
  return at === -1 ? null : args[at + 1] ?? null;
}

function wordsOf(value: Json | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return [];
  return value.filter((word): word is string => typeof word === "string");
}
