/**
 * Who listens on a TCP port of a Linux machine: the sockets from the tables of the network, their processes from the
 * descriptors of all that can be seen.
 *
 * @module
 */

import { inLaterTurn } from "../kit/turn.ts";
import type { LinuxFiles } from "./linux_files.ts";
import type { Listeners } from "./system.ts";

const TCP_LISTEN = "0A";

/** Descriptors that are looked at before everything else gets a turn. Each costs some microseconds. */
const TURN_DESCRIPTORS = 512;

/** A socket that listens. */
export interface ListeningSocket {
  readonly inode: string;
  /** Of the user who opened it. */
  readonly uid: number;
  /** As in a URL: `127.0.0.1`, `[::]`. */
  readonly address: string;
}

/**
 * Who listens on a port, on whichever address of this network namespace. Others get their turns meanwhile.
 *
 * @param first Processes to look at first. When those have all the sockets nobody else is looked at.
 */
export async function findListeners(
  port: number,
  files: LinuxFiles,
  first: readonly number[],
): Promise<Listeners> {
  const sockets = new Map<string, ListeningSocket>(
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
      listeningSockets(files.text(path) ?? "", port)
    ).map((socket) => [`socket:[${socket.inode}]`, socket] as const),
  );
  if (sockets.size === 0) return { seen: [], hidden: [] };
  const hidden = new Map(sockets);
  const seen: Listeners["seen"][number][] = [];
  let room = TURN_DESCRIPTORS;
  // Asked for one after the other: what is left to be found decides whether there is a next one.
  const candidates = function* (): Generator<number> {
    yield* first;
    if (hidden.size === 0) return;
    const done = new Set(first);
    for (const pid of files.numbers("/proc")) if (!done.has(pid)) yield pid;
  };
  for (const pid of candidates()) {
    const descriptors = files.numbers(`/proc/${pid}/fd`);
    const addresses = new Set<string>();
    for (const fd of descriptors) {
      const link = files.link(`/proc/${pid}/fd/${fd}`) ?? "";
      const socket = sockets.get(link);
      if (socket === undefined) continue;
      addresses.add(socket.address);
      hidden.delete(link);
    }
    if (addresses.size > 0) seen.push({ pid, addresses: [...addresses] });
    room -= descriptors.length;
    if (room > 0) continue;
    room = TURN_DESCRIPTORS;
    await new Promise<void>(inLaterTurn);
  }
  return {
    seen,
    hidden: [...hidden.values()].map(({ uid, address }) => ({ uid, address })),
  };
}

/** The TCP ports on which some processes listen, in ascending order. Looks at the descriptors of these alone. */
export function portsListenedOn(
  pids: readonly number[],
  files: LinuxFiles,
): number[] {
  const links = new Set(
    pids.flatMap((pid) =>
      files.numbers(`/proc/${pid}/fd`).map((fd) =>
        files.link(`/proc/${pid}/fd/${fd}`) ?? ""
      )
    ),
  );
  const ports = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
    (files.text(path) ?? "").split("\n").slice(1).flatMap((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== TCP_LISTEN || !links.has(`socket:[${inode}]`)) return [];
      return [Number.parseInt(local?.split(":")[1] ?? "", 16)];
    })
  );
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** The sockets that listen on a port, from the text of `/proc/net/tcp` or `tcp6`. */
export function listeningSockets(
  table: string,
  port: number,
): ListeningSocket[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").slice(1).flatMap((line) => {
    // Most lines are connections of others; to take them apart is what costs.
    if (!line.includes(wanted)) return [];
    const [, local, , state, , , , uid, , inode] = line.trim().split(/\s+/);
    if (state !== TCP_LISTEN || local === undefined || inode === undefined) {
      return [];
    }
    if (!local.endsWith(wanted)) return [];
    const address = addressOf(local.slice(0, -wanted.length));
    return [{ inode, uid: Number(uid), address }];
  });
}

/** The kernel prints an address as 32-bit words of this machine, which are little-endian wherever Deno runs. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse()
  );
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let at = 0; at < bytes.length; at += 2) {
    groups.push(((bytes[at]! << 8) | bytes[at + 1]!).toString(16));
  }
  // The URL parser knows the short form.
  return new URL(`http://[${groups.join(":")}]`).hostname;
}
