/**
 * Two entries of one program, the user's and the project's: most programs take the stronger one, not all.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { findEntry } from "./client_settings.ts";
import { addressOf, type McpAddress } from "./mcp_address.ts";
import { MCP_CLIENTS, type McpClient, type Place } from "./mcp_clients.ts";

/** The same program in the other scope; undefined if it has but one. */
export function otherScope({ title, scope }: McpClient): McpClient | undefined {
  return MCP_CLIENTS.find((client) =>
    client.title === title && client.scope !== scope
  );
}

/** What the entry in the other scope would do to an address. */
export type Clash =
  | { readonly kind: "none" }
  /** The program works, and complains of two addresses; `path` has the other one. */
  | { readonly kind: "noise"; readonly path: string }
  /** The program does not start any more. */
  | {
    readonly kind: "fatal";
    readonly path: string;
    readonly other: McpClient;
  };

/**
 * Whether a program can live with an address beside what stands in its other scope. Settings that cannot be read have
 * nothing in them.
 */
export async function clashOf(
  client: McpClient,
  address: McpAddress,
  place: Place,
): Promise<Clash> {
  const other = otherScope(client);
  if (client.mixing === "fine" || other === undefined) return { kind: "none" };
  const found = await entryOrNull(other, place);
  const standing = found === null ? null : addressOf(found.entry);
  if (found === null || standing === null) return { kind: "none" };
  if (client.mixing === "merges") {
    return standing.kind === address.kind
      ? { kind: "none" }
      : { kind: "fatal", path: found.path, other };
  }
  return wordsOf(standing) === wordsOf(address)
    ? { kind: "none" }
    : { kind: "noise", path: found.path };
}

/** Whether a program has our entry, in either of its scopes. Settings that cannot be read have nothing in them. */
export async function isSetUp(
  client: McpClient,
  place: Place,
): Promise<boolean> {
  if (await entryOrNull(client, place) !== null) return true;
  const other = otherScope(client);
  return other !== undefined && await entryOrNull(other, place) !== null;
}

async function entryOrNull(client: McpClient, place: Place) {
  try {
    const { path, entry } = await findEntry(client, place);
    return entry === null ? null : { path, entry };
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return null;
  }
}

function wordsOf(address: McpAddress): string {
  return address.kind === "http"
    ? address.url
    : [address.command, ...address.args].join("\0");
}
