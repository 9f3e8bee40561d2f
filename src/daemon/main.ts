/**
 * Entry point of the daemon.
 *
 * `--port N`: of the API. `--foreground`: the log goes to stderr, too. `--check`: only tells whether a daemon of this
 * version could run here, by its exit status. `--replace-keeper`: a keeper that this version cannot talk to is ended,
 * with its tasks. `--resume`: what was up before that, or before `daemon stop`, comes back, as after a boot.
 * `--service`: a service manager runs it. `--as LINE`: it is started as root on behalf of the user of that line of
 * `passwd`, and becomes that user.
 *
 * What prevents the start is the last line on stderr, as an error in JSON unless in the foreground.
 *
 * @module
 */

import { parseArgs } from "node:util";
import {
  denoCommand,
  entryPoint,
  REGEXP_GUARD,
  START_AGAIN_EXIT,
} from "../config/launch.ts";
import { findLibc } from "../config/libc_path.ts";
import { type Paths, resolvePaths } from "../config/paths.ts";
import { denoDirectory, keeperFlags } from "../config/permissions.ts";
import { parseUser } from "../config/target_user.ts";
import { diskError } from "../domain/disk_error.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { KeeperClient } from "../pty/keeper_client.ts";
import { ensureKeeper, keeperArguments } from "../pty/keeper_process.ts";
import { startDaemon } from "./daemon.ts";
import { checkTakeover } from "./check_takeover.ts";
import { catchUncaught } from "./last_resort.ts";
import { openDaemonLog } from "./logging.ts";
import type { PrivilegedStart } from "./privileged_start.ts";
import type { Services } from "./services.ts";
import type { ShutDownReport } from "./shut_down.ts";
import { claimStateFolder } from "./state_folder.ts";
import { takeOver } from "./take_over.ts";

/** How long a keeper may take to start. */
const KEEPER_START_MS = 100_000;

interface Settings {
  readonly port?: string;
  readonly foreground: boolean;
  readonly check: boolean;
  readonly "replace-keeper": boolean;
  readonly resume: boolean;
  readonly service: boolean;
  readonly as?: string;
}

function readSettings(): Settings {
  const flag = { type: "boolean", default: false } as const;
  return parseArgs({
    options: {
      port: { type: "string" },
      foreground: flag,
      check: flag,
      "replace-keeper": flag,
      resume: flag,
      service: flag,
      as: { type: "string" },
    },
  }).values;
}

async function main(): Promise<number> {
  const settings = readSettings();
  try {
    return await run(settings);
  } catch (error) {
    // Whoever started us reads this while we start.
    const isKnown = error instanceof TaskmuxError;
    const told = settings.foreground
      ? (isKnown ? error.message : trace(error))
      : JSON.stringify((isKnown ? error : unforeseen(error)).toShape());
    await Deno.stderr.write(new TextEncoder().encode(`${told}\n`));
    return 1;
  }
}

async function run(settings: Settings): Promise<number> {
  const start = settings.as === undefined ? null : await become(settings);
  const environment = start?.environment ?? Deno.env.toObject();
  const paths = resolvePaths(environment);
  if (settings.check) {
    await checkTakeover(paths, { isQuestion: true });
    return 0;
  }
  const asked = whenAskedToStop();
  const claim = await (settings.service ? takeOver : claimStateFolder)(paths);
  // Another daemon is there. Whoever started this one will find that one.
  if (claim === null) return 0;
  using _lock = claim.lock;
  await using log = await openDaemonLog(
    paths.daemonLog,
    settings.foreground ? Deno.stderr.writable : null,
  );
  const { logger } = log;
  using _uncaught = catchUncaught({
    log: (message) => logger.error(message),
    now: () => systemClock.monotonic(),
  });
  const warnings = [...claim.warnings, ...start?.warnings ?? []];
  for (const warning of warnings) logger.warning(warning);
  const { port, resume } = settings;
  try {
    // Before anything is changed that an older version could not read any more.
    const isReplaced = await checkTakeover(paths, {
      replaceKeeper: settings["replace-keeper"],
    });
    await using daemon = await startDaemon({
      paths,
      ...(port === undefined ? {} : { apiPort: Number(port) }),
      takeover: { resume, isReplaced },
      isService: settings.service,
      isRoot: claim.uid === 0,
      front: start?.front ?? null,
      connectKeeper: () => connectKeeper(paths, environment),
      environment: () => environment,
      damage: claim.damage,
      log: (level, message) => logger[level](message),
    });
    logger.info(`daemon ${Deno.pid} is ready`);
    let stopping: ReturnType<Services["shutDown"]> | null = null;
    asked.then(() => {
      stopping = daemon.services.shutDown({ keepTasks: false });
    });
    const { keepTasks } = await daemon.stopped;
    // Who asks over the socket is told otherwise.
    for (const { task, reason } of await leftBy(stopping)) {
      logger.error(`may still run: ${task}: ${reason}`);
    }
    logger.info(`daemon ${Deno.pid} ends`);
    return settings.service && keepTasks ? START_AGAIN_EXIT : 0;
  } catch (error) {
    logger.error(logged(error));
    throw error;
  }
}

/** Of what users can do wrong only the first line: what follows may show their settings. */
function logged(error: unknown): string {
  if (!(error instanceof TaskmuxError) || error.code === "E900") {
    return trace(error);
  }
  return `${error.code}: ${error.message.split("\n")[0]}`;
}

/** For the user; where it happened is in the log. */
function unforeseen(error: unknown): TaskmuxError {
  const trouble = diskError(error);
  if (trouble !== null) return trouble;
  const message = error instanceof Error ? error.message : String(error);
  return new TaskmuxError("E900", message, { cause: error });
}

function trace(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function connectKeeper(
  paths: Paths,
  environment: Readonly<Record<string, string>>,
): Promise<KeeperClient> {
  const libc = requireLibc();
  return ensureKeeper({
    socketPath: paths.keeperSocket,
    command: denoCommand({
      entry: entryPoint("keeper"),
      flags: [
        REGEXP_GUARD,
        ...keeperFlags(paths, {
          denoDir: denoDirectory(environment, Deno.build.os),
          libc,
        }),
      ],
      args: keeperArguments({
        socketPath: paths.keeperSocket,
        lockPath: paths.keeperLock,
        logPath: paths.keeperLog,
        libc,
      }),
    }),
    signal: AbortSignal.timeout(KEEPER_START_MS),
  });
}

function requireLibc(): string {
  const { os, arch } = Deno.build;
  const libc = findLibc();
  if (libc !== null) return libc;
  throw new TaskmuxError(
    "E900",
    `Cannot start the keeper: no C library is known for ${os} on ${arch}`,
  );
}

/**
 * Resolves when a signal asks the daemon to end. Listens from the start on: what an earlier daemon left running is to
 * be stopped, too, and only one that is up can do that.
 */
function whenAskedToStop(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, resolve);
  }
  // The terminal that started a daemon may close.
  Deno.addSignalListener("SIGHUP", () => {});
  return promise;
}

/** What may still run after a signal. */
async function leftBy(
  stopping: ReturnType<Services["shutDown"]> | null,
): Promise<ShutDownReport["left"]> {
  return (await stopping)?.left ?? [];
}

/** From here on this process and whatever it starts is that user's. */
async function become(
  { as: line = "", check }: Settings,
): Promise<PrivilegedStart> {
  const user = parseUser(line);
  const { startPrivileged } = await import("./privileged_start.ts");
  const start = await startPrivileged(user, {
    libc: requireLibc(),
    environment: Deno.env.toObject(),
    bindsPorts: !check,
  });
  const { environment } = start;
  for (const name of Object.keys(Deno.env.toObject())) {
    if (!Object.hasOwn(environment, name)) Deno.env.delete(name);
  }
  for (const [name, value] of Object.entries(environment)) {
    Deno.env.set(name, value);
  }
  return start;
}

if (import.meta.main) {
  Deno.exit(await main());
}
