/**
 * Works around a defect of Deno 2.9's TLS sockets: a write of nothing after an earlier write that was not done at once
 * never completes, and the next request on the connection is never answered (`docs/decisions/0026`).
 *
 * @module
 */

import type { TLSSocket } from "node:tls";

type Done = (error?: Error | null) => void;

interface RawSocket {
  _write(chunk: { length: number }, encoding: string, done: Done): void;
  _writev?:
    | ((chunks: readonly { chunk: { length: number } }[], done: Done) => void)
    | null;
}

/** Has writes of nothing complete by themselves. To be called once, before anything is written. */
export function repairEmptyWrites(socket: TLSSocket): void {
  const raw = socket as unknown as RawSocket;
  const write = raw._write;
  raw._write = (chunk, encoding, done) => {
    if (chunk.length === 0) queueMicrotask(() => done());
    else write.call(raw, chunk, encoding, done);
  };
  const writev = raw._writev;
  if (!writev) return;
  raw._writev = (chunks, done) => {
    if (chunks.every(({ chunk }) => chunk.length === 0)) {
      queueMicrotask(() => done());
    } else writev.call(raw, chunks, done);
  };
}
