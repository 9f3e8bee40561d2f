/**
 * The connections of a public gate, and which of them do not go on.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { IdleWatch, type Watched } from "./idle_watch.ts";

/** Longest time between two requests. Longer than programs of providers keep connections, so that these end them. */
const IDLE_MS = 120_000;

/** Longest time until the head of the first request. */
const SILENT_MS = 15_000;

/** Longest time in which nothing of a body comes that is awaited, or nothing of an answer is taken. */
const STALLED_MS = 120_000;

/** A connection. */
export interface Gated {
  readonly socket: Socket;
  watched: Watched;
  /** Whether it never asked anything. */
  isSilent: boolean;
  /** Of the request under way. */
  request: IncomingMessage | null;
  response: ServerResponse | null;
  /** What is known of its progress, and since when that is so. */
  progress: string;
  /** Monotonic milliseconds. */
  movedAt: number;
}

/** See the module. */
export class GateSockets {
  readonly idleMs: number = IDLE_MS;
  readonly #now: () => number;
  readonly #all = new Map<Socket, Gated>();
  readonly #silent: IdleWatch;
  readonly #asking: IdleWatch;

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#silent = new IdleWatch(now);
    this.#asking = new IdleWatch(now);
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** Takes care of a connection from now on. */
  add(socket: Socket): void {
    const gated: Gated = {
      socket,
      watched: this.#silent.add(() => socket.destroy()),
      isSilent: true,
      request: null,
      response: null,
      progress: "",
      movedAt: this.#now(),
    };
    this.#all.set(socket, gated);
    socket.on("close", () => {
      this.#all.delete(socket);
      this.#silent.remove(gated.watched);
      this.#asking.remove(gated.watched);
    });
  }

  /** The connection, if it is one of these. */
  of(socket: Socket): Gated | undefined {
    return this.#all.get(socket);
  }

  /** A request begins, or a WebSocket: for that there is no request whose progress counts. */
  begin(
    gated: Gated,
    request: IncomingMessage | null,
    response: ServerResponse | null,
  ): void {
    if (gated.isSilent) {
      gated.isSilent = false;
      this.#silent.remove(gated.watched);
      gated.watched = this.#asking.add(() => gated.socket.destroy());
    }
    gated.request = request;
    gated.response = response;
    gated.progress = "";
    gated.movedAt = this.#now();
    this.#asking.begin(gated.watched);
  }

  /** It is over. */
  end(gated: Gated): void {
    this.#asking.end(gated.watched);
  }

  /** Ends the connection that has waited longest without asking anything. */
  endSilent(): void {
    for (const gated of this.#all.values()) {
      if (!gated.isSilent) continue;
      this.#forget(gated);
      return;
    }
  }

  /** Ends all. */
  endAll(): void {
    for (const gated of this.#all.values()) this.#forget(gated);
  }

  /** Ends those that do not go on. */
  sweep(): void {
    this.#silent.sweep(SILENT_MS);
    this.#asking.sweep(IDLE_MS);
    for (const gated of this.#all.values()) {
      if (this.#isStalled(gated)) this.#forget(gated);
    }
  }

  /** What is destroyed tells so only later. */
  #forget(gated: Gated): void {
    this.#all.delete(gated.socket);
    gated.socket.destroy();
  }

  #isStalled(gated: Gated): boolean {
    const { socket, request, response } = gated;
    // Whoever is made to wait by the task does nothing wrong.
    const isAwaited = request !== null && !request.complete &&
      !request.isPaused();
    const isOffered = socket.writableLength + (response?.writableLength ?? 0) >
      0;
    const progress = isAwaited || isOffered
      ? `${socket.bytesRead} ${socket.bytesWritten} ${socket.writableLength}`
      : "";
    if (progress !== gated.progress || progress === "") {
      gated.progress = progress;
      gated.movedAt = this.#now();
      return false;
    }
    return gated.movedAt + STALLED_MS < this.#now();
  }
}
