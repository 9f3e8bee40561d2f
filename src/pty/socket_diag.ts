/**
 * Asks the Linux kernel for one TCP socket by its two ends, over netlink (`sock_diag(7)`): 50 µs, however many sockets
 * there are. The tables in `/proc/net` cost milliseconds, because to print one the kernel goes through all its buckets.
 *
 * @module
 */

import type { LinuxLibc } from "./libc.ts";
import type { ConnectionEnd } from "./protocol.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const IPPROTO_TCP = 6;
const TCP_LISTEN = 10;

/** Offsets in `nlmsghdr` with an `inet_diag_req_v2`. */
const ASKED = {
  type: 4,
  flags: 6,
  family: 16,
  protocol: 17,
  states: 20,
  id: 24,
  bytes: 72,
} as const;

/** Offsets in `nlmsghdr` with an `inet_diag_msg`. */
const TOLD = { type: 4, state: 17, id: 20, uid: 80, inode: 84, bytes: 88 };

/** Offsets in `inet_diag_sockid`; ports and addresses as on the wire. */
const ID = { localPort: 0, remotePort: 2, local: 4, remote: 20, cookie: 40 };

const REPLY_BYTES = 4096;

/**
 * The user who opened the socket that is `local` and speaks to `remote`.
 *
 * @returns Null if there is no such socket, no process has it open any more, or the kernel does not say.
 */
export function socketOwner(
  libc: LinuxLibc,
  local: ConnectionEnd,
  remote: ConnectionEnd,
): number | null {
  const fd = libc.socket(
    AF_NETLINK,
    SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
    NETLINK_SOCK_DIAG,
  );
  if (fd < 0) return null;
  try {
    const asked = question(local, remote);
    libc.write(fd, asked, BigInt(asked.length));
    // The kernel has answered by then.
    const reply = new Uint8Array(REPLY_BYTES);
    const count = Number(libc.read(fd, reply, BigInt(reply.length)));
    return count < TOLD.bytes ? null : ownerIn(reply, asked);
  } finally {
    libc.close(fd);
  }
}

/** The bytes of an address in the order of the wire: 4 or 16. */
export function addressBytes(address: string): number[] {
  if (!address.includes(":")) return address.split(".").map(Number);
  // The URL parser knows every form, and prints one without dots.
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = short.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function question(
  local: ConnectionEnd,
  remote: ConnectionEnd,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(ASKED.bytes);
  const view = new DataView(message.buffer);
  const from = addressBytes(local.address);
  view.setUint32(0, message.length, true);
  view.setUint16(ASKED.type, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(ASKED.flags, NLM_F_REQUEST, true);
  // An IPv6 socket that speaks to an IPv4 address is found by that.
  message[ASKED.family] = from.length === 4 ? AF_INET : AF_INET6;
  message[ASKED.protocol] = IPPROTO_TCP;
  view.setUint32(ASKED.states, 0xffff_ffff, true);
  view.setUint16(ASKED.id + ID.localPort, local.port);
  view.setUint16(ASKED.id + ID.remotePort, remote.port);
  message.set(from, ASKED.id + ID.local);
  message.set(addressBytes(remote.address), ASKED.id + ID.remote);
  message.fill(0xff, ASKED.id + ID.cookie);
  return message;
}

/** Looks whether it is the socket that was asked for: where there is none the kernel names who listens on that port. */
function ownerIn(
  reply: Uint8Array<ArrayBuffer>,
  asked: Uint8Array<ArrayBuffer>,
): number | null {
  const view = new DataView(reply.buffer);
  if (view.getUint16(TOLD.type, true) !== SOCK_DIAG_BY_FAMILY) return null;
  const isSame = [0, 1, 2, 3].every((at) =>
    reply[TOLD.id + ID.localPort + at] === asked[ASKED.id + ID.localPort + at]
  );
  if (!isSame || reply[TOLD.state] === TCP_LISTEN) return null;
  // Of what nobody has open it says user 0.
  if (view.getUint32(TOLD.inode, true) === 0) return null;
  return view.getUint32(TOLD.uid, true);
}
