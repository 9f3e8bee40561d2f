/**
 * Starts a daemon where none listens, and waits until it answers. Loaded only then.
 *
 * One daemon per state folder is the daemon's own promise: it holds a lock, and whoever comes second leaves quietly. So
 * callers may race here; each of them waits for whichever daemon answers.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import {
  DAEMON_V8_FLAGS,
  denoCommand,
  entryPoint,
  launchEnvironment,
} from "../config/launch.ts";
import { findLibc } from "../config/libc_path.ts";
import type { Paths } from "../config/paths.ts";
import { daemonFlags } from "../config/permissions.ts";
import { permittedBinds } from "../config/proxy_bind.ts";
import { formatUser, type TargetUser } from "../config/target_user.ts";
import { TaskmuxError } from "../domain/error.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";
import { type Client, connect, type ConnectOptions } from "./client.ts";
import { isLockHeld } from "./lock_probe.ts";
import { startupError } from "./startup_error.ts";

/**
 * How long a new daemon may take until it answers. Its first start may have to download its packages; one that fails
 * exits, which is noticed at once.
 */
export const SPAWN_TIMEOUT_MS = 120_000;

/** Pause between two looks for the socket. */
const POLL_MS = 10;

/** How long to wait for the winner of a race before trying once more: it may have been the end of an old daemon. */
const RESPAWN_AFTER_MS = 500;

/** How often one that left quietly is started again. */
const RESPAWNS_MAX = 20;

/** How long the last words of a daemon that failed are waited for. */
const LAST_WORDS_MS = 200;

/** Start-up diagnostics kept for the error. */
const MAX_DIAGNOSTICS_BYTES = 16 * 1024;

/** How the daemon is started. */
export interface SpawnOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whom the daemon is to become, where the caller is root; null if it stays whoever the caller is. */
  readonly user?: TargetUser | null;
  /** Arguments of the daemon itself. */
  readonly args?: readonly string[];
  /** The program, for tests; by default the daemon of this very version. */
  readonly entry?: string;
  /** How everything is asked on the connection. */
  readonly connection?: Pick<ConnectOptions, "manner" | "news">;
  /** Time, for tests. */
  readonly clock?: Clock;
}

/**
 * A connection to the daemon, which is started if there is none.
 *
 * The new process is detached: it has neither the caller's terminal nor its stdin and stdout, and lives on whatever
 * becomes of the caller. Aborting ends the waiting only.
 *
 * @throws {TaskmuxError} E600 with what the daemon said if it does not answer within {@linkcode SPAWN_TIMEOUT_MS}; E601
 * if one of another protocol runs, or state or tasks of another version are in the way; E10x for the host's settings.
 */
export async function ensureDaemon(
  paths: Paths,
  options: SpawnOptions = {},
): Promise<Client> {
  const present = await connect(paths.daemonSocket, {
    ...options.connection,
    signal: options.signal,
    home: paths.home,
  });
  return present ?? (await spawnDaemon(paths, options));
}

/**
 * The command line and the environment of a daemon, for whoever starts one.
 *
 * @throws {TaskmuxError} E900 if it is to become another user and no C library is known.
 */
export function daemonCommand(
  paths: Paths,
  { args = [], entry = entryPoint("daemon"), user = null }: Pick<
    SpawnOptions,
    "args" | "entry" | "user"
  >,
): { readonly program: string; readonly options: Deno.CommandOptions } {
  const grants = {
    libc: user === null ? undefined : requireLibc(),
    binds: permittedBinds(paths.hostConfig),
  };
  const launch = denoCommand({
    entry,
    flags: [DAEMON_V8_FLAGS, ...daemonFlags(paths, grants)],
    args: [...args, ...user === null ? [] : [`--as=${formatUser(user)}`]],
  });
  return {
    program: launch.program,
    options: {
      args: launch.args,
      // Pins no folder of the caller.
      cwd: "/",
      env: launchEnvironment(Deno.env.toObject()),
      clearEnv: true,
      stdin: "null",
      detached: true,
    },
  };
}

function requireLibc(): string {
  const libc = findLibc();
  if (libc !== null) return libc;
  throw new TaskmuxError(
    "E900",
    "Cannot start daemon as root: no C library is known on this machine",
    { hint: "Say it without sudo" },
  );
}

async function spawnDaemon(
  paths: Paths,
  options: SpawnOptions,
): Promise<Client> {
  const clock = options.clock ?? systemClock;
  const deadline = clock.monotonic() + SPAWN_TIMEOUT_MS;
  let child = startProcess(paths, options);
  let quietSince: number | null = null;
  let respawns = 0;
  try {
    while (true) {
      const client = await connect(paths.daemonSocket, {
        ...options.connection,
        signal: options.signal,
        home: paths.home,
      });
      if (client !== null) return client;
      const now = clock.monotonic();
      if (child.exit !== null && !child.exit.success) {
        throw await unreachable(paths, exitText(child.exit), child);
      }
      if (now >= deadline) {
        const seconds = SPAWN_TIMEOUT_MS / 1000;
        throw await unreachable(
          paths,
          `it did not answer within ${seconds} s`,
          child,
        );
      }
      if (child.exit === null) quietSince = null;
      else quietSince ??= now;
      if (quietSince !== null && now - quietSince >= RESPAWN_AFTER_MS) {
        quietSince = now;
        // Whoever holds the lock is coming up, or has yet to go.
        if (!await isLockHeld(paths.daemonLock)) {
          if (++respawns > RESPAWNS_MAX) {
            throw await unreachable(
              paths,
              "it ends as soon as it starts",
              child,
            );
          }
          await child.release();
          child = startProcess(paths, options);
        }
      }
      await clock.sleep(POLL_MS, options.signal);
    }
  } finally {
    await child.release();
  }
}

/** A daemon that is coming up. */
interface StartingDaemon {
  /** How it ended; null while it runs. */
  readonly exit: Deno.CommandStatus | null;
  /** What it printed so far; waits a moment for the rest if it has ended. */
  diagnostics(): Promise<string>;
  /** Lets go of it; it runs on. */
  release(): Promise<void>;
}

function startProcess(paths: Paths, options: SpawnOptions): StartingDaemon {
  const command = daemonCommand(paths, options);
  const child = spawn(command.program, {
    ...command.options,
    stdout: "null",
    stderr: "piped",
  });
  child.unref();
  let exit: Deno.CommandStatus | null = null;
  child.status.then((status) => exit = status);
  const reader = child.stderr.getReader();
  let said = "";
  const drained = collect(reader, (text) => said += text);
  return {
    get exit(): Deno.CommandStatus | null {
      return exit;
    },
    diagnostics: async () => {
      // Not for ever: what the daemon started may hold the pipe open.
      await settledWithin(drained, {
        clock: options.clock ?? systemClock,
        ms: LAST_WORDS_MS,
        signal: options.signal ?? new AbortController().signal,
      });
      return stripVTControlCharacters(said).trim();
    },
    release: async () => {
      await reader.cancel();
      await drained;
    },
  };
}

function spawn(
  program: string,
  options: Deno.CommandOptions,
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, options).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new TaskmuxError(
      "E600",
      `Cannot start daemon: there is no "${program}" on the PATH`,
      { hint: 'export PATH="$HOME/.deno/bin:$PATH"', cause: error },
    );
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let room = MAX_DIAGNOSTICS_BYTES;
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    if (room > 0) {
      take(decoder.decode(value.subarray(0, room), { stream: true }));
    }
    room -= value.length;
  }
}

function exitText(exit: Deno.CommandStatus): string {
  return exit.signal === null
    ? `it exited with code ${exit.code}`
    : `it was ended by ${exit.signal}`;
}

async function unreachable(
  paths: Paths,
  state: string,
  child: StartingDaemon,
): Promise<TaskmuxError> {
  const said = await child.diagnostics();
  const known = startupError(said);
  // What the user can do something about keeps its own code.
  if (known !== null && known.code !== "E900") return known;
  return unreachableError(paths, state, {
    said: known?.message ?? said,
    hint: known?.hint,
  });
}

function unreachableError(
  paths: Paths,
  state: string,
  { said, hint = `Look into ${paths.daemonLog}` }: {
    readonly said: string;
    readonly hint?: string | undefined;
  },
): TaskmuxError {
  return new TaskmuxError(
    "E600",
    `Cannot start daemon: ${state}${said === "" ? "" : `\n${said}`}`,
    {
      hint,
      details: { log: paths.daemonLog, output: said },
    },
  );
}
