/**
 * The keeper's program: `main.ts --socket PATH --lock PATH --log PATH --libc PATH [--idle-ms N]`.
 *
 * Exits with 0 when it is not needed any more or was asked to, with {@linkcode LOCK_LOST_EXIT} when another keeper has
 * the lock. Everything it needs native code for is loaded first; then the permission is given back.
 *
 * @module
 */

import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../kit/clock.ts";
import { clearObstacle } from "../kit/set_aside.ts";
import { SteadySocket } from "../kit/steady_socket.ts";
import { Timer } from "../kit/timer.ts";
import { IDLE_EXIT_MS, LOCK_LOST_EXIT } from "../pty/keeper_process.ts";
import { loadPtyModule } from "../pty/native_pty.ts";
import { openSystem } from "../pty/open_system.ts";
import { Keeper } from "./keeper.ts";
import { KeeperServer } from "./keeper_server.ts";
import { OwnLog } from "./own_log.ts";

/** Where the keeper lives and when it goes. */
interface Settings {
  readonly socket: string;
  readonly lock: string;
  readonly log: string;
  readonly libc: string;
  readonly idleMs: number;
}

if (import.meta.main) await main(parseSettings(Deno.args));

function parseSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      socket: { type: "string" },
      lock: { type: "string" },
      log: { type: "string" },
      libc: { type: "string" },
      "idle-ms": { type: "string", default: String(IDLE_EXIT_MS) },
    },
  });
  const { socket, lock, log, libc } = values;
  const idleMs = Number(values["idle-ms"]);
  if (!socket || !lock || !log || !libc || !(idleMs >= 0)) {
    throw new TypeError("--socket, --lock, --log and --libc are required");
  }
  return { socket, lock, log, libc, idleMs };
}

async function main(settings: Settings): Promise<void> {
  const system = openSystem(settings.libc, Deno.build.os);
  const pty = { ...loadPtyModule(), system };
  Deno.permissions.revokeSync({ name: "ffi" });
  using _lock = takeLock(settings.lock);
  clearObstacle(settings.log, systemClock.now());
  using log = new OwnLog(settings.log, systemClock);
  const listener = listen(settings.socket, (error) => {
    log.write(
      error === null
        ? "its socket was gone; it listens there anew"
        : `cannot listen: ${error.message}`,
    );
  });
  const over = Promise.withResolvers<string>();
  using idle = new Timer(() => over.resolve("nobody needs it"));
  const reviewIdle = () => {
    idle.disarm();
    if (!server.hasPeers && !keeper.hasRuns) idle.arm(settings.idleMs);
  };
  const server: KeeperServer = new KeeperServer({
    clock: systemClock,
    keeper: () => keeper,
    pid: Deno.pid,
    bootId: system.bootId,
    onChange: reviewIdle,
    onShutdown: () => over.resolve("asked to"),
    report: (text) => log.write(text),
  });
  using keeper: Keeper = new Keeper({
    pty,
    clock: systemClock,
    pid: Deno.pid,
    notify: (notice) => server.notify(notice),
    onChange: reviewIdle,
    report: (text) => log.write(text),
  });
  surviveFailures(log);
  listenToSignals(() => over.resolve("SIGTERM"));
  const serving = server.serve(listener);
  // What Deno itself might say from here on belongs into the log: the starter stops listening.
  system.redirectOutput(settings.log);
  log.write(
    `keeper ${Deno.pid} begins, run tags: ${system.hasRunTags}, ` +
      `adopts orphans: ${system.adoptsOrphans}`,
  );
  reviewIdle();
  log.write(`keeper ${Deno.pid} ends: ${await over.promise}`);
  await keeper.endAll();
  await server.close();
  listener.close();
  await serving;
  Deno.exit(0);
}

/** The lock is held as long as the process lives. Its file stays: removing it would let two keepers hold two locks. */
function takeLock(path: string): Deno.FsFile {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  clearObstacle(path, systemClock.now());
  const file = Deno.openSync(path, { create: true, write: true, mode: 0o600 });
  if (file.tryLockSync(true)) return file;
  Deno.exit(LOCK_LOST_EXIT);
}

/** Only the holder of the lock gets here, so a socket that is there is a dead one. */
function listen(
  path: string,
  onLost: (error: Error | null) => void,
): SteadySocket {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  Deno.chmodSync(dirname(path), 0o700);
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return new SteadySocket(path, { mode: 0o600, onLost });
}

/** A mistake in one corner must not take down the tasks of everybody. */
function surviveFailures(log: OwnLog): void {
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.write(`unhandled rejection: ${Deno.inspect(event.reason)}`);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    log.write(`uncaught error: ${Deno.inspect(event.error)}`);
  });
}

/** A terminal that goes away or Ctrl-C in it is nothing to the keeper. */
function listenToSignals(onTerm: () => void): void {
  Deno.addSignalListener("SIGTERM", onTerm);
  Deno.addSignalListener("SIGHUP", () => {});
  Deno.addSignalListener("SIGINT", () => {});
}
