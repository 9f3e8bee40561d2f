/**
 * Lets an answer be read from a server that has stopped reading the request.
 *
 * A server that refuses an upload (413, 401) answers and closes while it is still being sent. The next write fails, and
 * `node:net` then destroys the socket with the answer unread.
 *
 * @module
 */

import type { Socket } from "node:net";

type Done = (error?: Error | null) => void;

interface RawSocket {
  _write(chunk: unknown, encoding: string, done: Done): void;
  _writev?: ((chunks: readonly unknown[], done: Done) => void) | null;
}

const BROKEN: ReadonlySet<unknown> = new Set(["EPIPE", "ECONNRESET"]);

/** Has writes vanish once the peer takes no more. The connection ends when there is nothing left to read. */
export function outliveBrokenPipe(socket: Socket): void {
  const raw = socket as unknown as RawSocket;
  let isBroken = false;
  const passing = (done: Done): Done => (error) => {
    if (!isBroken && error && "code" in error && BROKEN.has(error.code)) {
      isBroken = true;
      done();
    } else done(error);
  };
  const write = raw._write;
  raw._write = (chunk, encoding, done) => {
    if (isBroken) queueMicrotask(done);
    else write.call(raw, chunk, encoding, passing(done));
  };
  const writev = raw._writev;
  if (!writev) return;
  raw._writev = (chunks, done) => {
    if (isBroken) queueMicrotask(done);
    else writev.call(raw, chunks, passing(done));
  };
}
