/**
 * Entry point of the daemon.
 *
 * `--port N`: of the API. `--foreground`: the log goes to stderr, too. `--check`: only tells whether a daemon of this
 * version could run here, by its exit status. `--replace-keeper`: a keeper that this version cannot talk to is ended,
 * with its tasks. `--resume`: what was up before that, or before `daemon stop`, comes back, as after a boot.
 *
 * What prevents the start is the last line on stderr, as an error in JSON unless in the foreground.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { denoCommand, entryPoint, REGEXP_GUARD } from "../config/launch.ts";
import { type Paths, resolvePaths } from "../config/paths.ts";
import { denoDirectory, keeperFlags } from "../config/permissions.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { KeeperClient } from "../pty/keeper_client.ts";
import { ensureKeeper, keeperArguments } from "../pty/keeper_process.ts";
import { libcPath } from "../config/libc_path.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { checkTakeover } from "./check_takeover.ts";
import { openDaemonLog } from "./logging.ts";
import { claimStateFolder } from "./state_folder.ts";

/** How long a keeper may take to start. */
const KEEPER_START_MS = 100_000;

interface Settings {
  readonly port?: string;
  readonly foreground: boolean;
  readonly check: boolean;
  readonly "replace-keeper": boolean;
  readonly resume: boolean;
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
    const told = !isKnown
      ? trace(error)
      : settings.foreground
      ? error.message
      : JSON.stringify(error.toShape());
    await Deno.stderr.write(new TextEncoder().encode(`${told}\n`));
    return 1;
  }
}

async function run(settings: Settings): Promise<number> {
  const environment = Deno.env.toObject();
  const paths = resolvePaths(environment);
  if (settings.check) {
    await checkTakeover(paths);
    return 0;
  }
  const claim = await claimStateFolder(paths);
  // Another daemon is there. Whoever started this one will find that one.
  if (claim === null) return 0;
  using _lock = claim.lock;
  await using log = await openDaemonLog(
    paths.daemonLog,
    settings.foreground ? Deno.stderr.writable : null,
  );
  const { logger } = log;
  for (const warning of claim.warnings) logger.warning(warning);
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
      connectKeeper: () => connectKeeper(paths, environment),
      environment: () => environment,
      damage: claim.damage,
      log: (level, message) => logger[level](message),
    });
    logger.info(`daemon ${Deno.pid} is ready`);
    const left = await untilStopped(daemon);
    for (const task of left) logger.error(`may still run: ${task}`);
    logger.info(`daemon ${Deno.pid} ends`);
    return 0;
  } catch (error) {
    logger.error(trace(error));
    throw error;
  }
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
  const libc = libcPath(os, arch, isFile);
  if (libc !== null) return libc;
  throw new TaskmuxError(
    "E900",
    `Cannot start the keeper: no C library is known for ${os} on ${arch}`,
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Resolves when the daemon is to end: it was asked to, or a signal came.
 *
 * @returns What may still run after a signal. Who asks is told otherwise.
 */
async function untilStopped(daemon: Daemon): Promise<string[]> {
  let stopping: ReturnType<Daemon["services"]["shutDown"]> | null = null;
  const stop = (): void => {
    stopping ??= daemon.services.shutDown({ keepTasks: false });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, stop);
  }
  // The terminal that started a daemon may close.
  Deno.addSignalListener("SIGHUP", () => {});
  await daemon.stopped;
  const { left } = await stopping ?? { left: [] };
  return left.map(({ task, reason }) => `${task}: ${reason}`);
}

if (import.meta.main) {
  Deno.exit(await main());
}
