/**
 * Connects to a listener that may be on either address of loopback.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { outliveBrokenPipe } from "./outlive_broken_pipe.ts";

/** Longest wait for one address. On loopback it is only reached when the listener's queue is full. */
const CONNECT_MS = 10_000;

/** A connection, and where it leads. */
export interface UpstreamConnection {
  readonly socket: Socket;
  readonly address: string;
}

/**
 * Tries the addresses in order.
 *
 * @throws The error of the last address that was tried.
 */
export async function connectUpstream(
  port: number,
  addresses: readonly string[],
): Promise<UpstreamConnection> {
  let last: unknown = new Error("no address to connect to");
  for (const address of addresses) {
    try {
      return { socket: await connectTo(address, port), address };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      last = error;
    }
  }
  throw last;
}

function connectTo(host: string, port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port, noDelay: true });
  const expire = (): void => {
    socket.destroy(new Error(`no connection within ${CONNECT_MS} ms`));
  };
  socket.setTimeout(CONNECT_MS, expire);
  socket.once("error", reject);
  socket.once("connect", () => {
    socket.setTimeout(0);
    socket.removeListener("timeout", expire);
    socket.removeListener("error", reject);
    outliveBrokenPipe(socket);
    resolve(socket);
  });
  return promise;
}
