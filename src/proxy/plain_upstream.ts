/**
 * Connections to tasks for plain requests: bytes in, bytes out, used again as long as both sides keep them.
 *
 * @module
 */

import type { Socket } from "node:net";
import { connectUpstream } from "./connect_upstream.ts";

/** Longest silence of a kept connection. Shorter than what servers allow, so that few are lost to a race. */
const IDLE_MS = 4_000;

/** How much sooner a connection is given up than its server said it would. */
const MARGIN_MS = 1_000;

/** Kept connections per listener. */
const MAX_IDLE = 32;

/** Who uses a connection now. */
export interface LinkUser {
  onData(bytes: Uint8Array): void;
  /** It takes bytes again. */
  onDrain(): void;
  /** It is over. @param isClean Whether the task ended it, after all it had to say. */
  onClose(isClean: boolean): void;
}

/** A connection with one set of listeners for all its requests. */
export class UpstreamLink {
  readonly #socket: Socket;
  user: LinkUser | null = null;
  /** Whether it has served another request. */
  wasUsed = false;
  /** Until when it may be used again, in monotonic milliseconds. */
  until = 0;
  #hasEnded = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Uint8Array) => {
      // Nobody asked for anything.
      if (this.user === null) socket.destroy();
      else this.user.onData(bytes);
    });
    socket.on("end", () => {
      this.#hasEnded = true;
      socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      const { user } = this;
      this.user = null;
      user?.onClose(this.#hasEnded);
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Whether it alone keeps the process alive. */
  set isIdle(isIdle: boolean) {
    if (isIdle) this.#socket.unref();
    else this.#socket.ref();
  }

  /** Its user hears nothing of it. */
  destroy(): void {
    this.user = null;
    this.#socket.destroy();
  }
}

/** The kept connections to one listener. */
export class IdleLinks implements Disposable {
  readonly #links: UpstreamLink[] = [];
  readonly #now: () => number;

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** One that is still good, or null. */
  take(): UpstreamLink | null {
    const now = this.#now();
    for (let link = this.#links.pop(); link; link = this.#links.pop()) {
      if (link.isOpen && link.until > now) {
        link.isIdle = false;
        return link;
      }
      link.destroy();
    }
    return null;
  }

  /** @param keepsS Seconds for which its server said it keeps it; null = it did not. */
  put(link: UpstreamLink, keepsS: number | null): void {
    const limitMs = keepsS === null ? IDLE_MS : keepsS * 1_000 - MARGIN_MS;
    if (this.#links.length === MAX_IDLE || limitMs <= 0 || !link.isOpen) {
      link.destroy();
      return;
    }
    link.user = null;
    link.wasUsed = true;
    link.until = this.#now() + Math.min(IDLE_MS, limitMs);
    link.isIdle = true;
    this.#links.push(link);
  }

  /** Closes those that were idle for too long. */
  sweep(): void {
    const now = this.#now();
    for (let index = this.#links.length - 1; index >= 0; index--) {
      const link = this.#links[index]!;
      if (link.isOpen && link.until > now) continue;
      link.destroy();
      this.#links.splice(index, 1);
    }
  }

  [Symbol.dispose](): void {
    for (const link of this.#links.splice(0)) link.destroy();
  }
}

/** A new connection, and the address that took it. Throws as {@linkcode connectUpstream}. */
export async function openLink(
  port: number,
  addresses: readonly string[],
): Promise<{ readonly link: UpstreamLink; readonly address: string }> {
  const { socket, address } = await connectUpstream(port, addresses);
  return { link: new UpstreamLink(socket), address };
}
