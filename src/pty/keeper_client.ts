/**
 * The controller's end of the keeper's socket.
 *
 * Does not start a keeper and does not reconnect: see `keeper_process.ts` for the first, the second is policy.
 *
 * @module
 */

import { VERSION } from "../contract/wire.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ErrorCode } from "../domain/error_codes.ts";
import { FrameConnection } from "../kit/frames.ts";
import { KeeperPulse } from "./keeper_pulse.ts";
import {
  KEEPER_PROTOCOL,
  type KeeperError,
  type KeeperHello,
  type KeeperNotice,
  type KeeperReply,
  type KeeperRequests,
  OLDEST_KEEPER_PROTOCOL,
} from "./protocol.ts";

/** How long a keeper may take to greet. */
const HELLO_TIMEOUT_MS = 5_000;

/** How a wait is ended early. */
export interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly op: keyof KeeperRequests;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const ERROR_CODES: Readonly<Record<KeeperError["code"], ErrorCode>> = {
  spawn_failed: "E403",
  unknown_run: "E202",
  busy: "E900",
  invalid: "E900",
  ending: "E600",
  cancelled: "E900",
  internal: "E900",
};

/** A keeper that was only listened to. Disposal ends the connection. */
export interface GreetedKeeper extends Disposable {
  readonly hello: KeeperHello;
  readonly isCompatible: boolean;
  /** E601: why it cannot be talked to, if it is not compatible. */
  readonly mismatch: TaskmuxError;
  /** Resolves when the keeper has ended the connection. Call it once. */
  closed(): Promise<void>;
}

/** What is waited for as long as one likes. */
const OPEN_ENDED: ReadonlySet<keyof KeeperRequests> = new Set([
  "waitForLine",
  "output",
]);

/** A connection to a keeper. */
export class KeeperClient implements Disposable {
  /** What the keeper said of itself. */
  readonly hello: KeeperHello;
  /** Fulfilled when the connection is over, whoever ended it. Never rejects. */
  readonly closed: Promise<void>;
  readonly #connection: FrameConnection;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(notice: KeeperNotice) => void>();
  readonly #silenceListeners = new Set<(isSilent: boolean) => void>();
  readonly #pulse = new KeeperPulse({
    isAwaited: () =>
      this.#waiting.values().some(({ op }) => !OPEN_ENDED.has(op)),
    ask: () => this.#post("getEnvironment", { name: "" }),
    onChange: (isSilent) => this.#onSilence(isSilent),
  });
  #lastId = 0;

  private constructor(
    hello: KeeperHello,
    connection: FrameConnection,
    frames: AsyncGenerator<unknown>,
  ) {
    this.hello = hello;
    this.#connection = connection;
    this.closed = this.#read(frames);
  }

  /**
   * Connects, reads the greeting and introduces this process. Bounded, whatever the peer does.
   *
   * @throws {TaskmuxError} E601 if the keeper speaks another protocol; E600 if what listens is no keeper, or goes away.
   * @throws {Deno.errors.NotFound} If there is no socket.
   * @throws {Deno.errors.ConnectionRefused} If nobody listens on the socket.
   * @throws The reason of the signal.
   */
  static async connect(
    path: string,
    options: Cancellable = {},
  ): Promise<KeeperClient> {
    const client = await KeeperClient.observe(path, options);
    try {
      const protocol = agreedProtocol(client.hello) ?? KEEPER_PROTOCOL;
      const pid = Deno.pid;
      await client.request("introduce", { pid, protocol }, options);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Connects like {@linkcode KeeperClient.connect}, without being a controller: for one who only asks. */
  static async observe(
    path: string,
    options: Cancellable = {},
  ): Promise<KeeperClient> {
    options.signal?.throwIfAborted();
    const stream = await Deno.connect({ transport: "unix", path });
    const connection = new FrameConnection(stream);
    try {
      const frames = connection.frames();
      const hello = await greeting(connection, frames, options.signal);
      if (agreedProtocol(hello) === null) throw mismatch(hello);
      return new KeeperClient(hello, connection, frames);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /**
   * Only listens to what the keeper says of itself, whichever protocol it speaks. Errors as {@linkcode connect}, but no
   * E601.
   */
  static async greet(
    path: string,
    options: Cancellable = {},
  ): Promise<GreetedKeeper> {
    options.signal?.throwIfAborted();
    const stream = await Deno.connect({ transport: "unix", path });
    const connection = new FrameConnection(stream);
    try {
      const frames = connection.frames();
      const hello = await greeting(connection, frames, options.signal);
      return {
        hello,
        isCompatible: agreedProtocol(hello) !== null,
        mismatch: mismatch(hello),
        closed: async () => {
          for await (const _ of frames);
        },
        [Symbol.dispose]: () => connection.close(),
      };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /**
   * Asks the keeper. Requests do not wait for each other.
   *
   * @throws {TaskmuxError} E403 if a run cannot be started, E202 if the run is unknown, E900 for any other refusal (the
   * keeper's own code is in `details.keeper_code`), E600 when the connection is lost before the answer, or when the keeper
   * does not answer anything any more (`details.keeper_code` is `silent`; about 12 s). A run whose spawn was given up
   * for that is ended as soon as the keeper goes on.
   * @throws The reason of the signal. The keeper is told, and may or may not have done it.
   */
  async request<Op extends keyof KeeperRequests>(
    op: Op,
    params: KeeperRequests[Op]["params"],
    options: Cancellable = {},
  ): Promise<KeeperRequests[Op]["result"]> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#pulse.isSilent && !OPEN_ENDED.has(op)) throw this.#silent();
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const cancel = () => {
      this.#connection.send({ cancel: id });
      reject(signal?.reason);
    };
    this.#waiting.set(id, { op, resolve, reject });
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      if (!this.#connection.send({ id, op, params })) throw lost();
      this.#pulse.await();
      return await promise as KeeperRequests[Op]["result"];
    } catch (error) {
      if (op === "spawn" && isSilence(error)) {
        // Read in this order: what may be started after all is ended at once.
        const { runId } = params as KeeperRequests["spawn"]["params"];
        this.#post("terminate", {
          runId,
          steps: [{ signal: "SIGKILL", waitMs: 0 }],
        });
      }
      throw error;
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener("abort", cancel);
    }
  }

  /**
   * Calls the listener for every notice from now on, in order. What happened before is in the answer to `list`, so listen
   * first, then list.
   *
   * @returns A function that ends it.
   */
  onNotice(listener: (notice: KeeperNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Calls the listener when the keeper stops answering although it is connected, and when it goes on.
   *
   * @returns A function that ends it.
   */
  onSilence(listener: (isSilent: boolean) => void): () => void {
    this.#silenceListeners.add(listener);
    return () => this.#silenceListeners.delete(listener);
  }

  /** Ends the connection. Runs live on. Requests under way fail with E600. */
  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #read(frames: AsyncGenerator<unknown>): Promise<void> {
    try {
      for await (const frame of frames) this.#take(frame);
    } catch (error) {
      // A keeper that sends nonsense is as good as gone.
      if (!(error instanceof SyntaxError)) throw error;
    } finally {
      this.#connection.close();
      this.#pulse[Symbol.dispose]();
      for (const waiting of this.#waiting.values()) waiting.reject(lost());
    }
  }

  /** Sends a request whose answer nobody waits for. */
  #post<Op extends keyof KeeperRequests>(
    op: Op,
    params: KeeperRequests[Op]["params"],
  ): void {
    this.#connection.send({ id: ++this.#lastId, op, params });
  }

  #onSilence(isSilent: boolean): void {
    for (const listener of this.#silenceListeners) listener(isSilent);
    if (!isSilent) return;
    for (const { op, reject } of this.#waiting.values()) {
      if (!OPEN_ENDED.has(op)) reject(this.#silent());
    }
  }

  #silent(): TaskmuxError {
    const { pid } = this.hello;
    return new TaskmuxError(
      "E600",
      `Cannot reach the keeper: process ${pid} does not answer`,
      {
        hint: `kill -CONT ${pid}, if it is stopped`,
        details: { pid, keeper_code: "silent" },
      },
    );
  }

  #take(frame: unknown): void {
    this.#pulse.heard();
    if (isNotice(frame)) {
      for (const listener of this.#listeners) listener(frame);
      return;
    }
    // Answers to requests that were given up find nobody waiting.
    const reply = frame as KeeperReply;
    const waiting = this.#waiting.get(reply.id);
    if ("error" in reply) waiting?.reject(asTaskmuxError(reply.error));
    else waiting?.resolve(reply.result);
  }
}

/** The first frame, or an error within {@linkcode HELLO_TIMEOUT_MS}. Closes the connection when it gives up. */
function silentOnGreeting(): TaskmuxError {
  return new TaskmuxError(
    "E600",
    `Cannot reach the keeper: it does not greet within ${HELLO_TIMEOUT_MS} ms`,
    {
      hint: "taskmux daemon status tells its pid; kill -CONT, if it is stopped",
      details: { keeper_code: "silent" },
    },
  );
}

async function greeting(
  connection: FrameConnection,
  frames: AsyncGenerator<unknown>,
  signal: AbortSignal | undefined,
): Promise<KeeperHello> {
  const timeout = AbortSignal.timeout(HELLO_TIMEOUT_MS);
  const either = signal === undefined
    ? timeout
    : AbortSignal.any([signal, timeout]);
  const giveUp = () => connection.close();
  either.addEventListener("abort", giveUp, { once: true });
  try {
    const first = await frames.next();
    signal?.throwIfAborted();
    if (first.done && timeout.aborted) throw silentOnGreeting();
    if (first.done || !isHello(first.value)) {
      throw new TaskmuxError(
        "E600",
        "Cannot reach the keeper: what listens on its socket does not greet",
      );
    }
    return first.value;
  } finally {
    either.removeEventListener("abort", giveUp);
  }
}

function isHello(frame: unknown): frame is KeeperHello {
  return isRecord(frame) && frame.taskmux === "keeper" &&
    typeof frame.protocol === "number";
}

function isNotice(frame: unknown): frame is KeeperNotice {
  return isRecord(frame) && typeof frame.notice === "string";
}

/** Whether a request failed because the keeper does not answer anything. */
export function isSilence(error: unknown): boolean {
  return error instanceof TaskmuxError &&
    error.details?.["keeper_code"] === "silent";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The newest version that both sides speak; null = none. */
function agreedProtocol(hello: KeeperHello): number | null {
  const newest = Math.min(hello.protocol, KEEPER_PROTOCOL);
  const oldest = Math.max(
    hello.oldestProtocol ?? hello.protocol,
    OLDEST_KEEPER_PROTOCOL,
  );
  return oldest <= newest ? newest : null;
}

function mismatch(hello: KeeperHello): TaskmuxError {
  const { pid, version, protocol, oldestProtocol = protocol } = hello;
  return new TaskmuxError(
    "E601",
    `Cannot take over the tasks: the keeper that holds them (pid ${pid}) is ` +
      `taskmux ${version} with protocol ${range(oldestProtocol, protocol)}, ` +
      `and this is taskmux ${VERSION} with protocol ` +
      range(OLDEST_KEEPER_PROTOCOL, KEEPER_PROTOCOL),
    {
      hint:
        "taskmux daemon restart --force, which stops the tasks and starts " +
        "them again; or go back to that version",
      details: {
        obstacle: "keeper",
        pid,
        keeper_version: version,
        keeper_protocol: protocol,
        protocol: KEEPER_PROTOCOL,
      },
    },
  );
}

function range(oldest: number, newest: number): string {
  return oldest === newest ? `${newest}` : `${oldest} to ${newest}`;
}

function asTaskmuxError(error: KeeperError): TaskmuxError {
  return new TaskmuxError(ERROR_CODES[error.code] ?? "E900", error.message, {
    details: { keeper_code: error.code },
  });
}

function lost(): TaskmuxError {
  return new TaskmuxError(
    "E600",
    "Cannot reach the keeper: the connection is closed",
  );
}
