/**
 * A daemon that a test plays itself: a real Unix socket on which the test reads and writes frames.
 *
 * @module
 */

import {
  type ClientFrame,
  type Hello,
  type ServerFrame,
  WIRE_PROTOCOL,
} from "../../../src/contract/wire.ts";
import { FrameConnection } from "../../../src/kit/frames.ts";

/** The greeting of a daemon of this version. */
export const HELLO: Hello = {
  taskmux: "daemon",
  protocol: WIRE_PROTOCOL,
  version: "0.1.0",
  pid: 4242,
};

/** The daemon's side of one connection. */
export interface Peer {
  send(frame: ServerFrame | Hello): void;
  /** Bytes as they are, for what is no frame. */
  raw(text: string): Promise<void>;
  /** The next frame of the client; null = the client has closed. */
  next(): Promise<ClientFrame | null>;
  close(): void;
}

/** A listening socket in a folder of its own. Stop listening by disposing. */
export interface FrameServer extends AsyncDisposable {
  readonly path: string;
}

/**
 * Listens and plays every connection with `play`, which gets a connection that was not greeted. It is closed when `play`
 * returns. What `play` throws fails the disposal.
 */
export async function frameServer(
  play: (peer: Peer) => Promise<void>,
): Promise<FrameServer> {
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "tmx-" });
  const path = `${folder}/daemon.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const open = new Set<FrameConnection>();
  const serving = (async () => {
    const plays: Promise<void>[] = [];
    for await (const conn of listener) {
      const connection = new FrameConnection(conn);
      open.add(connection);
      const frames = connection.frames();
      plays.push(
        play({
          send: (frame) => {
            connection.send(frame);
          },
          raw: async (text) => {
            await conn.write(new TextEncoder().encode(text));
          },
          next: async () => {
            const { done, value } = await frames.next();
            return done ? null : value as ClientFrame;
          },
          close: () => connection.close(),
        }).finally(async () => {
          await connection.flushed();
          connection.close();
        }),
      );
    }
    await Promise.all(plays);
  })();
  return {
    path,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await serving;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
