/**
 * Finding the keeper, or starting one.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import { KeeperClient } from "./keeper_client.ts";

/** A keeper that no controller needs and that keeps no run ends after this time. */
export const IDLE_EXIT_MS = 30_000;

/** Exit status of a keeper that found another one holding the lock. */
export const LOCK_LOST_EXIT = 75;

/** How long a keeper may take to come up on a machine that is overloaded. One that fails exits, which is noticed at once. */
export const STARTUP_TIMEOUT_MS = 60_000;

const POLL_MS = 10;

/** The one who won the lock needs a moment until it listens; if it is ending instead, another is started after this. */
const LOCK_LOST_PAUSE_MS = 500;

/** Most of what a failing keeper printed that goes into the error. */
const MAX_DIAGNOSTIC_LENGTH = 2_000;

/** The keeper's own arguments. */
export interface KeeperArguments {
  readonly socketPath: string;
  readonly lockPath: string;
  readonly logPath: string;
  /** The C library, see `config/libc_path.ts`. Must be granted by `--allow-ffi` under this name. */
  readonly libc: string;
  /** Milliseconds after which an unneeded keeper ends; {@linkcode IDLE_EXIT_MS} if absent. */
  readonly idleMs?: number;
}

/** The arguments after the entry point of the keeper. */
export function keeperArguments(options: KeeperArguments): string[] {
  return [
    `--socket=${options.socketPath}`,
    `--lock=${options.lockPath}`,
    `--log=${options.logPath}`,
    `--libc=${options.libc}`,
    ...(options.idleMs === undefined ? [] : [`--idle-ms=${options.idleMs}`]),
  ];
}

/** How to reach and start a keeper. */
export interface EnsureKeeperOptions {
  readonly socketPath: string;
  /** The whole command of a keeper on this socket. */
  readonly command: {
    readonly program: string;
    readonly args: readonly string[];
    /** The whole environment of the keeper; this process's own if absent. */
    readonly env?: Readonly<Record<string, string>>;
  };
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Connects to the keeper, and starts one if there is none. However many do this at the same time, there is one keeper
 * after it: the others that were started find its lock and end. The keeper outlives this process.
 *
 * @throws {TaskmuxError} E601 if a keeper of another protocol runs; E600 if none comes up within
 * {@linkcode STARTUP_TIMEOUT_MS}, with what it printed in the message.
 * @throws The reason of the signal.
 */
export async function ensureKeeper(
  options: EnsureKeeperOptions,
): Promise<KeeperClient> {
  const { clock = systemClock, signal, socketPath } = options;
  const deadline = clock.monotonic() + STARTUP_TIMEOUT_MS;
  let started: StartedKeeper | null = null;
  let startAgainAt = 0;
  let isLockHeld = false;
  try {
    while (true) {
      const client = await connectIfThere(socketPath, signal);
      if (client !== null) return client;
      const now = clock.monotonic();
      if (now >= deadline) {
        throw isLockHeld
          ? hung()
          : notUp(`it did not answer within ${STARTUP_TIMEOUT_MS} ms`);
      }
      if (started !== null && started.exitCode !== null) {
        await throwUnlessLockLost(started);
        started = null;
        isLockHeld = true;
        startAgainAt = now + LOCK_LOST_PAUSE_MS;
      }
      if (now >= startAgainAt) started ??= startKeeper(options.command);
      await clock.sleep(POLL_MS, signal);
    }
  } finally {
    await started?.letGo();
  }
}

/** To lose the race for the lock is no failure. */
async function throwUnlessLockLost(started: StartedKeeper): Promise<void> {
  const printed = await started.letGo();
  if (started.exitCode === LOCK_LOST_EXIT) return;
  throw notUp(
    `it ended with status ${started.exitCode}${
      printed === "" ? "" : `: ${printed}`
    }`,
  );
}

/** A keeper that this process started. */
interface StartedKeeper {
  /** Null while it runs. */
  readonly exitCode: number | null;
  /** Stops listening to it, and answers with what it printed so far. It runs on. */
  letGo(): Promise<string>;
}

function startKeeper(command: EnsureKeeperOptions["command"]): StartedKeeper {
  const { program, args, env } = command;
  const child = new Deno.Command(program, {
    args: [...args],
    ...(env === undefined ? {} : { env: { ...env }, clearEnv: true }),
    // Not the caller's folder, which may be removed one day.
    cwd: "/",
    stdin: "null",
    stdout: "null",
    // The keeper turns to its log once it is up, so that this pipe may break.
    stderr: "piped",
    detached: true,
  }).spawn();
  child.unref();
  let exitCode: number | null = null;
  const exited = child.status.then((status) => {
    exitCode = status.code;
  });
  const diagnostics = readDiagnostics(child.stderr);
  return {
    get exitCode() {
      return exitCode;
    },
    letGo: async () => {
      if (exitCode !== null) await exited;
      return await diagnostics.end(exitCode !== null);
    },
  };
}

/** Collects what is printed, up to a limit. */
function readDiagnostics(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): { end(isOver: boolean): Promise<string> } {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const reading = (async () => {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      if (text.length < MAX_DIAGNOSTIC_LENGTH) text += decoder.decode(value);
    }
  })();
  return {
    end: async (isOver) => {
      if (!isOver) await reader.cancel();
      await reading;
      return text.trim().slice(0, MAX_DIAGNOSTIC_LENGTH);
    },
  };
}

/** Null if nobody listens, or the one who did went away during the greeting. */
async function connectIfThere(
  path: string,
  signal: AbortSignal | undefined,
): Promise<KeeperClient | null> {
  try {
    return await KeeperClient.connect(path, { signal });
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.ConnectionRefused ||
      // It died between the connection and its acceptance.
      error instanceof Deno.errors.ConnectionReset ||
      (error instanceof TaskmuxError && error.code === "E600")
    ) return null;
    throw error;
  }
}

/** There is one, and it has the lock. */
function hung(): TaskmuxError {
  return new TaskmuxError(
    "E600",
    `Cannot reach the keeper: one runs and does not answer within ${STARTUP_TIMEOUT_MS} ms`,
    {
      hint:
        "keeper.log in the state folder tells its pid; kill -CONT, if it is stopped",
    },
  );
}

function notUp(reason: string): TaskmuxError {
  return new TaskmuxError("E600", `Cannot start the keeper: ${reason}`, {
    hint: "See keeper.log in the state folder",
  });
}
