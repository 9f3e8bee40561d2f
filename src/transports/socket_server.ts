/**
 * The daemon's Unix socket: frames in, frames out. Knows no operation by name.
 *
 * @module
 */

import type { Acceptor } from "../kit/steady_socket.ts";
import {
  type ClientFrame,
  type Hello,
  type Progress,
  type RequestFrame,
  type ServerFrame,
  VERSION,
  WIRE_PROTOCOL,
} from "../contract/wire.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { Settle } from "../domain/recent_events.ts";
import { systemClock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";
import { FrameConnection } from "../kit/frames.ts";
import type { JsonObject } from "../kit/json.ts";
import type { TaskScope } from "../kit/task_scope.ts";

/** Pause after a failure to accept a connection. */
const ACCEPT_RETRY_MS = 100;

/** Requests one connection may have under way. */
const REQUESTS_PER_CONNECTION = 256;

/** How long a peer may take for the last answers when the daemon ends. */
const LAST_WORDS_MS = 500;

/** The part of a dispatcher that a transport uses. */
export interface FrameDispatcher {
  kindOf(name: string): "call" | "stream" | null;
  call(
    name: string,
    params: unknown,
    context: FrameContext,
  ): Promise<JsonObject>;
  stream(
    name: string,
    params: unknown,
    context: FrameContext,
  ): AsyncIterable<JsonObject>;
}

/** What goes along with a request. */
export interface FrameContext {
  /** The name that the caller gave itself; null = none. Not checked. */
  readonly caller: string | null;
  /** Whether secrets are to be shown. */
  readonly reveal: boolean;
  /** Aborts when the caller goes away or withdraws, or the server ends. */
  readonly signal: AbortSignal;
  /** Aborts only when the server ends. What lives by it is waited for, however early the caller goes. */
  readonly lifetime: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** The answer has events that are new to the caller. To be called once, when it has arrived or was lost. */
  readonly onNews: (settle: Settle) => void;
  /** Who asks, for the log of what was done; absent = it is not logged. Not checked. */
  readonly label?: string | undefined;
  /** The project whose events are news to the caller, whatever the question is about; absent = that of the question. */
  readonly newsOf?: string | undefined;
}

/**
 * Serves connections until the scope closes. Each connection is on its own; a broken one harms no other.
 *
 * @param listener Closed by the caller.
 */
export function serveSocket(
  listener: Acceptor,
  dispatcher: FrameDispatcher,
  scope: TaskScope,
): void {
  const lines = new ItemLines();
  scope.run(async (signal) => {
    while (true) {
      const stream = await accepted(listener, signal);
      if (stream === "closed") return;
      if (stream === null) continue;
      scope.run(() => serveConnection(stream, { dispatcher, lines, signal }));
    }
  });
}

/** The next connection. A failure to accept, such as a lack of descriptors, must not leave the daemon deaf. */
async function accepted(
  listener: Acceptor,
  signal: AbortSignal,
): Promise<Deno.Conn | "closed" | null> {
  try {
    return await listener.accept();
  } catch (error) {
    if (signal.aborted || error instanceof Deno.errors.BadResource) {
      return "closed";
    }
    await systemClock.sleep(ACCEPT_RETRY_MS, signal);
    return null;
  }
}

/** What all connections share. */
interface Serving {
  readonly dispatcher: FrameDispatcher;
  readonly lines: ItemLines;
  readonly signal: AbortSignal;
}

async function serveConnection(
  stream: Deno.Conn,
  { dispatcher, lines, signal: serverSignal }: Serving,
): Promise<void> {
  using connection = new FrameConnection(stream);
  const gone = new AbortController();
  const ending = Promise.withResolvers<void>();
  const close = (): void => {
    lastWords(connection).then(ending.resolve, ending.reject);
  };
  serverSignal.addEventListener("abort", close, { once: true });
  connection.send(
    {
      taskmux: "daemon",
      protocol: WIRE_PROTOCOL,
      version: VERSION,
      pid: Deno.pid,
    } satisfies Hello,
  );
  const requests = new Map<number, AbortController>();
  const unseen = new UnseenNews();
  const running = new Set<Promise<void>>();
  try {
    for await (const frame of connection.frames()) {
      if (typeof frame !== "object" || frame === null) break;
      const request = frame as ClientFrame;
      if ("cancel" in request) {
        requests.get(request.cancel)?.abort(withdrawn());
        unseen.settle(request.cancel, false);
        continue;
      }
      if ("seen" in request) {
        confirm(connection, unseen, request.seen);
        continue;
      }
      if (!isRequest(request) || requests.size >= REQUESTS_PER_CONNECTION) {
        break;
      }
      const cancel = new AbortController();
      requests.set(request.id, cancel);
      const work = answer(connection, dispatcher, {
        request,
        unseen,
        lines,
        signal: AbortSignal.any([cancel.signal, gone.signal, serverSignal]),
        lifetime: serverSignal,
      }).finally(() => {
        cancel.abort(withdrawn());
        requests.delete(request.id);
        running.delete(work);
      });
      running.add(work);
    }
  } catch (error) {
    // A peer that does not speak frames.
    if (!(error instanceof SyntaxError)) throw error;
  } finally {
    serverSignal.removeEventListener("abort", close);
    gone.abort(withdrawn());
    await Promise.allSettled(running);
    unseen.loseAll();
    if (serverSignal.aborted) await ending.promise;
  }
}

/** Closes; what was answered still goes out, and whoever does not take it has a moment and no more. */
async function lastWords(connection: FrameConnection): Promise<void> {
  await settledWithin(connection.flushed(), {
    clock: systemClock,
    ms: LAST_WORDS_MS,
    signal: new AbortController().signal,
  });
  connection.close();
}

/** The peer has what is new to its caller. */
function confirm(
  connection: FrameConnection,
  unseen: UnseenNews,
  id: number,
): void {
  // A peer that finds the connection closed looks what was noted until then.
  const seen = unseen.settle(id, !connection.isClosed);
  connection.send({ id, seen } satisfies ServerFrame);
}

function isRequest(
  frame: unknown,
): frame is RequestFrame {
  const request = frame as { id?: unknown; op?: unknown };
  return typeof request === "object" && request !== null &&
    typeof request.id === "number" && typeof request.op === "string";
}

/** A field that may be anything, since nobody has checked it. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function withdrawn(): DOMException {
  return new DOMException("The caller is gone", "AbortError");
}

/** Answers on one connection whose events the peer has not confirmed. */
class UnseenNews {
  readonly #settles = new Map<number, Settle>();

  add(id: number, settle: Settle): void {
    const [eldest] = this.#settles.keys();
    const isFull = this.#settles.size >= REQUESTS_PER_CONNECTION;
    if (isFull && eldest !== undefined) this.settle(eldest, false);
    this.#settles.set(id, settle);
  }

  /** @returns Whether the events now count as told. */
  settle(id: number, hasArrived: boolean): boolean {
    const settle = this.#settles.get(id);
    this.#settles.delete(id);
    return settle?.(hasArrived) ?? false;
  }

  loseAll(): void {
    for (const id of [...this.#settles.keys()]) this.settle(id, false);
  }
}

/** Items as they go over the wire, made once for all who get the same frozen object with the same number. */
class ItemLines {
  readonly #encoder = new TextEncoder();
  readonly #lines = new WeakMap<JsonObject, { id: number; line: Uint8Array }>();

  of(id: number, item: JsonObject): Uint8Array {
    const known = this.#lines.get(item);
    if (known?.id === id) return known.line;
    const frame: ServerFrame = { id, item };
    const line = this.#encoder.encode(JSON.stringify(frame) + "\n");
    if (Object.isFrozen(item)) this.#lines.set(item, { id, line });
    return line;
  }
}

interface Answering {
  readonly request: RequestFrame;
  readonly unseen: UnseenNews;
  readonly lines: ItemLines;
  readonly signal: AbortSignal;
  readonly lifetime: AbortSignal;
}

async function answer(
  connection: FrameConnection,
  dispatcher: FrameDispatcher,
  { request, unseen, lines, signal, lifetime }: Answering,
): Promise<void> {
  const { id, op, params } = request;
  const send = (frame: ServerFrame): boolean => connection.send(frame);
  const context: FrameContext = {
    caller: typeof request.caller === "string" ? request.caller : null,
    reveal: request.reveal === true,
    signal,
    lifetime,
    onProgress: (progress) => {
      send({ id, progress });
    },
    onNews: (settle) => unseen.add(id, settle),
    label: textOf(request.label),
    newsOf: textOf(request.news_of),
  };
  try {
    if (dispatcher.kindOf(op) === "stream") {
      for await (const item of dispatcher.stream(op, params, context)) {
        if (!connection.sendLine(lines.of(id, item))) return;
        // A reader that is slower than the source slows the source, not our memory.
        await connection.flushed();
      }
      send({ id, end: true });
      return;
    }
    send({ id, result: await dispatcher.call(op, params, context) });
  } catch (error) {
    const shaped = error instanceof TaskmuxError
      ? error
      : new TaskmuxError("E900", `Cannot do ${op}: internal error`);
    send({ id, error: shaped.toShape() });
  }
}
