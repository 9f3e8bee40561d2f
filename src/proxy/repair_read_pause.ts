/**
 * Works around a defect of Deno 2.9's TLS sockets: whoever pauses one stops reading decrypted bytes, but not the
 * connection below, so that an upload which nobody takes grows in memory as fast as the client sends
 * (`docs/decisions/0026`).
 *
 * @module
 */

import type { TLSSocket } from "node:tls";

interface ReadHandle {
  readStart(): number;
  readStop(): number;
}

/** What a TLS socket consists of. */
interface Layers {
  readonly _handle: ReadHandle | null;
  /** The connection below. */
  readonly _parent?: { readonly _handle: ReadHandle | null } | null;
}

/** Has the connection below pause and go on with its TLS socket. To be called once, before anything is read. */
export function repairReadPause(socket: TLSSocket): void {
  const { _handle: handle, _parent: below } = socket as unknown as Layers;
  if (!handle || !below) return;
  const start = handle.readStart;
  const stop = handle.readStop;
  // The handle below is gone as soon as the connection is closed.
  handle.readStart = () => {
    below._handle?.readStart();
    return start.call(handle);
  };
  handle.readStop = () => {
    below._handle?.readStop();
    return stop.call(handle);
  };
}
