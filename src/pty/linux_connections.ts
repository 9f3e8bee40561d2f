/**
 * Whose a TCP connection on a Linux machine is, from the kernel's tables of this network namespace.
 *
 * @module
 */

import type { LinuxLibc } from "./libc.ts";
import type { LinuxFiles } from "./linux_files.ts";
import type { ConnectionEnd, ConnectionOwners } from "./protocol.ts";
import { addressBytes, socketOwner } from "./socket_diag.ts";

/** What the kernel puts before an IPv4 address when an IPv6 socket speaks to it. */
const MAPPED = "0000000000000000FFFF0000";

/** The two ends of a connection. */
export interface Ends {
  readonly client: ConnectionEnd;
  readonly server: ConnectionEnd;
}

/**
 * Looks both ends up: the kernel is asked, and where it cannot be, its tables are read.
 *
 * @returns Null if there are no tables.
 */
export function findOwners(
  { client, server }: Ends,
  { libc, files }: { readonly libc: LinuxLibc; readonly files: LinuxFiles },
): ConnectionOwners | null {
  const told = {
    client: socketOwner(libc, client, server),
    server: socketOwner(libc, server, client),
  };
  // The asker holds this end, so whoever does not know it knows nothing.
  if (told.server !== null) return told;
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].map((path) =>
    files.text(path)
  );
  if (tables.every((table) => table === null)) return null;
  const text = tables.join("\n");
  return {
    client: ownerIn(text, client, server),
    server: ownerIn(text, server, client),
  };
}

/**
 * The user who opened the socket that is `local` and speaks to `remote`, from the text of `/proc/net/tcp` and `tcp6`.
 *
 * @returns Null if there is no such socket, or no process has it open any more: of those the table says user 0.
 */
export function ownerIn(
  tables: string,
  local: ConnectionEnd,
  remote: ConnectionEnd,
): number | null {
  for (const prefix of isMappable(local) ? ["", MAPPED] : [""]) {
    const pair = `: ${prefix}${entry(local)} ${prefix}${entry(remote)} `;
    const at = tables.indexOf(pair);
    if (at === -1) continue;
    const end = tables.indexOf("\n", at);
    const line = tables.slice(at + 2, end === -1 ? undefined : end);
    const [, , , , , , uid, , inode] = line.trim().split(/\s+/);
    if (inode !== undefined && inode !== "0") return Number(uid);
  }
  return null;
}

function isMappable({ address }: ConnectionEnd): boolean {
  return !address.includes(":");
}

/** As the kernel prints it: 32-bit words of this machine, which are little-endian wherever Deno runs. */
function entry({ address, port }: ConnectionEnd): string {
  const bytes = addressBytes(address);
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    words.push(
      bytes.slice(at, at + 4).reverse().map((byte) => hex(byte, 2)).join(""),
    );
  }
  return `${words.join("")}:${hex(port, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}
