/**
 * The daemon as a typed object: one connection to its socket, any number of requests on it.
 *
 * Loads nothing but the frames, because every command pays for it. Starting a daemon is `spawn_daemon.ts`; retrying is
 * the caller's decision, since a lost connection says nothing about how far an action got.
 *
 * @module
 */

import type {
  CallName,
  ParamsInput,
  Result,
  StreamName,
} from "../contract/mod.ts";
import {
  type Hello,
  type Manner,
  type Progress,
  type ServerFrame,
  VERSION,
  WIRE_PROTOCOL,
} from "../contract/wire.ts";
import { type ErrorShape, TaskmuxError } from "../domain/error.ts";
import { FrameConnection } from "../kit/frames.ts";
import type { NewsDesk } from "./news_desk.ts";

/** How long a listening daemon may take to say who it is. A healthy one needs a millisecond. */
export const HELLO_TIMEOUT_MS = 5_000;

/** Most bytes of `daemon.json`. */
const MAX_INFO_BYTES = 64 * 1024;

/** Items of one stream held for a slow reader. When it is full, nothing more is read from the daemon. */
export const MAX_QUEUED_ITEMS = 1_024;

/** How a connection is made. */
export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Talk to a daemon of any protocol. Only for `daemon.stop`, whose frames every version understands. */
  readonly anyProtocol?: boolean;
  /** The state folder. If given, whoever owns it must own the socket's folder, or nobody is asked there. */
  readonly home?: string;
  /** How everything is asked on this connection. */
  readonly manner?: Manner;
  /** Who takes what is new to the caller. Without, it comes again and again. */
  readonly news?: NewsDesk | undefined;
  /** Longest wait for the greeting, for tests. */
  readonly helloTimeoutMs?: number;
}

/** What a call can be given beside its parameters. */
export interface CallOptions {
  /** Withdraws the request and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told what the daemon tells while it works, in order. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Connects to the daemon's socket and checks that both sides speak the same protocol.
 *
 * @returns Null if nobody listens there.
 * @throws {TaskmuxError} E601 if the daemon speaks another protocol, E600 if it does not answer or is not ours, or
 * somebody else made the folder of its socket.
 */
export async function connect(
  socketPath: string,
  options: ConnectOptions = {},
): Promise<Client | null> {
  options.signal?.throwIfAborted();
  if (options.home !== undefined) await checkOwner(socketPath, options.home);
  const conn = await dial(socketPath);
  if (conn === null) return null;
  const connection = new FrameConnection(conn);
  try {
    const frames = connection.frames();
    const first = await firstFrame(frames, socketPath, options);
    // A daemon that is just going away accepts and closes: the same as nobody.
    if (first.done) {
      connection.close();
      return null;
    }
    const hello = checkHello(first.value, options.anyProtocol ?? false);
    const { manner = {}, news } = options;
    return new Client(connection, { hello, manner, news }, frames);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * The folder of the sockets may lie in `/tmp`, where anybody can be first. Whoever listens there is told the caller's
 * whole environment.
 */
async function checkOwner(socketPath: string, home: string): Promise<void> {
  const folder = socketPath.slice(0, socketPath.lastIndexOf("/"));
  try {
    const [ours, theirs] = [await Deno.stat(home), await Deno.lstat(folder)];
    if (theirs.isDirectory && theirs.uid === ours.uid) return;
  } catch (error) {
    // Connecting finds out the same, and says what to do.
    const isUnreachable = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied;
    if (isUnreachable) return;
    throw error;
  }
  throw new TaskmuxError(
    "E600",
    `Cannot trust daemon: "${folder}" was made by another user`,
    { hint: "export TASKMUX_HOME=/a/short/folder/of/yours" },
  );
}

async function dial(path: string): Promise<Deno.UnixConn | null> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.ConnectionRefused ||
      // It died between the connection and its acceptance.
      error instanceof Deno.errors.ConnectionReset
    ) return null;
    if (error instanceof Deno.errors.NotADirectory) {
      throw new TaskmuxError(
        "E500",
        `Cannot use the state folder: "${path}" leads through a file`,
        { hint: "export TASKMUX_HOME=/a/folder/of/yours", cause: error },
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      // A mode that does not permit it is EACCES.
      if ("code" in error && error.code === "EPERM") {
        const { sandboxError } = await import("./sandbox_error.ts");
        throw sandboxError(error);
      }
      throw new TaskmuxError(
        "E600",
        `Cannot reach daemon: you may not write to socket "${path}"`,
        {
          hint:
            `chmod 600 ${path}, if it is yours; otherwise export TASKMUX_HOME=/a/folder/of/yours`,
          cause: error,
        },
      );
    }
    if (error instanceof Deno.errors.WouldBlock) {
      throw unanswered("it is too busy to accept a connection", error);
    }
    throw error;
  }
}

/** The first frame, or the end if the peer closed without one. */
async function firstFrame(
  frames: AsyncGenerator<unknown, void, void>,
  socketPath: string,
  { signal, helloTimeoutMs = HELLO_TIMEOUT_MS }: ConnectOptions,
): Promise<IteratorResult<unknown, void>> {
  // Not setTimeout: its first use costs 5 ms, a quarter of a whole invocation, this one a third of a millisecond.
  const late = AbortSignal.timeout(helloTimeoutMs);
  const over = signal === undefined ? late : AbortSignal.any([late, signal]);
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(over.reason);
  over.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([frames.next(), aborted.promise]);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw unanswered(
        "what listens on its socket is no taskmux daemon",
        error,
      );
    }
    if (error !== late.reason) throw error;
    throw unanswered("it accepts connections but does not answer", error, {
      // It cannot be asked to go either. Its tasks run on, and the next one takes them over.
      hint: await killHint(socketPath),
    });
  } finally {
    over.removeEventListener("abort", abort);
  }
}

function unanswered(
  state: string,
  cause?: unknown,
  { hint = "taskmux daemon restart" } = {},
): TaskmuxError {
  return new TaskmuxError("E600", `Cannot talk to daemon: ${state}`, {
    hint,
    cause,
  });
}

/** How to be rid of a daemon that is stuck, as far as its own file tells who it is. */
async function killHint(socketPath: string): Promise<string | undefined> {
  const path = `${
    socketPath.slice(0, socketPath.lastIndexOf("/"))
  }/daemon.json`;
  try {
    // A pipe would never be read to its end, and what is larger is none of ours.
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size > MAX_INFO_BYTES) return undefined;
    const { pid } = JSON.parse(await Deno.readTextFile(path)) as {
      readonly pid?: unknown;
    };
    if (typeof pid === "number") return `kill -9 ${pid}; taskmux daemon start`;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  return undefined;
}

function checkHello(frame: unknown, anyProtocol: boolean): Hello {
  const hello = frame as Hello | null;
  if (
    hello?.taskmux !== "daemon" || typeof hello.protocol !== "number"
  ) throw unanswered("what listens on its socket is no taskmux daemon");
  if (hello.protocol === WIRE_PROTOCOL || anyProtocol) return hello;
  throw new TaskmuxError(
    "E601",
    `Cannot talk to daemon: it is taskmux ${hello.version} with protocol ${hello.protocol}, ` +
      `and this is taskmux ${VERSION} with protocol ${WIRE_PROTOCOL}`,
    {
      hint: "taskmux daemon restart",
      details: {
        daemon_version: hello.version,
        daemon_protocol: hello.protocol,
        protocol: WIRE_PROTOCOL,
      },
    },
  );
}

/** Who waits for the frames of one request. */
interface Waiter {
  /** Takes a frame; a promise holds the reader back. */
  take(frame: ServerFrame): void | Promise<void>;
  /** The connection is gone. */
  fail(error: TaskmuxError): void;
}

/**
 * An open connection to a daemon. Requests run side by side; closing is idempotent and withdraws all of them.
 */
export class Client implements AsyncDisposable {
  /** Who the daemon said it is. */
  readonly hello: Hello;
  readonly #manner: Manner;
  readonly #news: NewsDesk | undefined;
  readonly #connection: FrameConnection;
  readonly #waiters = new Map<number, Waiter>();
  readonly #reading: Promise<void>;
  #lastId = 0;

  /** Made by {@linkcode connect}, after the greeting was read from `frames`. */
  constructor(
    connection: FrameConnection,
    { hello, manner, news }: {
      readonly hello: Hello;
      readonly manner: Manner;
      readonly news: NewsDesk | undefined;
    },
    frames: AsyncGenerator<unknown, void, void>,
  ) {
    this.hello = hello;
    this.#manner = manner;
    this.#news = news;
    this.#connection = connection;
    this.#reading = this.#read(frames);
  }

  /**
   * Asks one operation and waits for its answer, without a time limit of its own.
   *
   * @throws {TaskmuxError} What the daemon answered, or E600 if the connection was lost.
   */
  async call<N extends CallName>(
    name: N,
    params: ParamsInput<N>,
    options: CallOptions = {},
  ): Promise<Result<N>> {
    const { hello } = this;
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const answer = Promise.withResolvers<Result<N>>();
    const conclude = (frame: ServerFrame): void => {
      if ("result" in frame) answer.resolve(frame.result as Result<N>);
      else if ("error" in frame) answer.reject(fromWire(frame.error, hello));
    };
    let isThere = false;
    const id = this.#send(name, params, {
      take: (frame): void => {
        if ("progress" in frame) return onProgress?.(frame.progress);
        isThere = true;
        const checked = this.#news?.check(frame, () => this.#confirm(id));
        if (checked === undefined) conclude(frame);
        else checked.then(conclude, answer.reject);
      },
      fail: answer.reject,
    });
    const abort = (): void => {
      // What is there is told: the daemon may have noted already that it is.
      if (isThere) return;
      this.#cancel(id);
      answer.reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await answer.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#waiters.delete(id);
    }
  }

  /**
   * Asks for a stream. Ends when the daemon ends it; leaving the loop or aborting withdraws it.
   *
   * @throws {TaskmuxError} What the daemon answered, or E600 if the connection was lost.
   */
  async *stream<N extends StreamName>(
    name: N,
    params: ParamsInput<N>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Result<N>, void, void> {
    const { hello } = this;
    const { signal } = options;
    signal?.throwIfAborted();
    const inbox = new Inbox<Result<N>>();
    const id = this.#send(name, params, {
      take(frame): void | Promise<void> {
        if ("item" in frame) return inbox.push(frame.item as Result<N>);
        if ("error" in frame) inbox.finish(fromWire(frame.error, hello));
        else if ("end" in frame || "result" in frame) inbox.finish(null);
      },
      fail: (error) => inbox.finish(error),
    });
    const abort = (): void => inbox.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      yield* inbox.items();
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#cancel(id);
      inbox.abort(null);
    }
  }

  /** Closes the connection. The daemon withdraws what was still asked; pending calls reject with E600. */
  async close(): Promise<void> {
    this.#connection.close();
    await this.#reading;
  }

  /** Resolves when the daemon has closed the connection, or this side has. */
  async closed(): Promise<void> {
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #send(op: string, params: unknown, waiter: Waiter): number {
    const id = ++this.#lastId;
    this.#waiters.set(id, waiter);
    const frame = { id, op, params, ...this.#manner };
    if (!this.#connection.send(frame)) waiter.fail(lost());
    return id;
  }

  /** Tells the daemon that the answer has arrived. @returns Whether it counts as told; null = the daemon is gone. */
  #confirm(id: number): Promise<boolean | null> {
    const seen = Promise.withResolvers<boolean | null>();
    this.#waiters.set(id, {
      take: (reply) => seen.resolve("seen" in reply && reply.seen),
      fail: () => seen.resolve(null),
    });
    if (!this.#connection.send({ seen: id })) seen.resolve(null);
    return seen.promise;
  }

  #cancel(id: number): void {
    if (this.#waiters.delete(id)) this.#connection.send({ cancel: id });
  }

  async #read(frames: AsyncGenerator<unknown, void, void>): Promise<void> {
    let cause: unknown;
    try {
      for await (const frame of frames) {
        const message = frame as ServerFrame;
        const waiter = this.#waiters.get(message.id);
        if (waiter === undefined) continue;
        if (!("progress" in message) && !("item" in message)) {
          this.#waiters.delete(message.id);
        }
        await waiter.take(message);
      }
    } catch (error) {
      // A frame that is no JSON; nothing after it can be trusted.
      if (!(error instanceof SyntaxError)) throw error;
      cause = error;
    } finally {
      this.#connection.close();
      for (const waiter of this.#waiters.values()) waiter.fail(lost(cause));
      this.#waiters.clear();
    }
  }
}

function lost(cause?: unknown): TaskmuxError {
  return new TaskmuxError(
    "E600",
    "Cannot tell how it ended: the connection to the daemon was lost",
    { hint: "taskmux status", cause },
  );
}

/** A daemon of another version may not know what is asked; then that is what is wrong, not the command line. */
function fromWire(shape: ErrorShape, { version }: Hello): TaskmuxError {
  const isUnknown = shape.details?.["refused"] !== undefined;
  if (!isUnknown || version === VERSION) return TaskmuxError.fromShape(shape);
  return new TaskmuxError(
    "E601",
    `Cannot ask the daemon: it is taskmux ${version}, and this is taskmux ${VERSION} (${shape.error})`,
    {
      hint: "taskmux daemon restart",
      details: { ...shape.details, daemon_version: version },
    },
  );
}

/** The items of one stream on their way from the reader of the socket to the reader of the stream. */
class Inbox<T> {
  readonly #items: T[] = [];
  /** Resolved when there is something to look at. */
  #arrived = Promise.withResolvers<void>();
  /** Resolved when there is room again; null while there is. */
  #room: PromiseWithResolvers<void> | null = null;
  /** How it ended; undefined while it runs. */
  #end: { readonly error: unknown } | undefined;
  #aborted = false;

  push(item: T): void | Promise<void> {
    if (this.#end !== undefined) return;
    this.#items.push(item);
    this.#arrived.resolve();
    if (this.#items.length < MAX_QUEUED_ITEMS) return;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** No more items; those queued are still delivered. The first end wins. */
  finish(error: unknown): void {
    this.#end ??= { error };
    this.#arrived.resolve();
  }

  /** Ends at once, without what is queued. */
  abort(reason: unknown): void {
    this.#aborted = true;
    this.#items.length = 0;
    this.finish(reason);
    this.#room?.resolve();
  }

  async *items(): AsyncGenerator<T, void, void> {
    while (true) {
      const batch = this.#items.splice(0);
      this.#room?.resolve();
      this.#room = null;
      for (const item of batch) {
        if (this.#aborted) break;
        yield item;
      }
      if (this.#items.length > 0) continue;
      if (this.#end !== undefined) {
        if (this.#end.error !== null) throw this.#end.error;
        return;
      }
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers<void>();
    }
  }
}
