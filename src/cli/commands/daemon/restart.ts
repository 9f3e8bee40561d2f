/**
 * `taskmux daemon restart`
 *
 * @module
 */

import { type Client, connect } from "../../../client/client.ts";
import { VERSION } from "../../../contract/wire.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { systemClock } from "../../../kit/clock.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { interruptible } from "../../interrupt.ts";
import { seconds } from "../../option_value.ts";
import { warningLines } from "../../render/status.ts";
import { stopDaemon, type StoppedDaemon } from "../../stop_daemon.ts";
import { PORT_OPTION, portArguments } from "./start.ts";
import { DEFAULT_TIMEOUT_S, TIMEOUT_OPTION } from "./stop.ts";

/** How long a service manager may take to start the next daemon. */
const SERVICE_START_MS = 60_000;

/** Pause between two looks for it. */
const POLL_MS = 50;

/** Replaces the daemon. */
export const daemonRestart = command({
  usage: "[--port PORT] [--timeout SECONDS] [--force]",
  about:
    "Tasks run on, and so do their logs. Needed after an upgrade and for " +
    "changed settings. If the new\ndaemon could not take over, nothing is done.",
  options: {
    port: PORT_OPTION,
    timeout: TIMEOUT_OPTION,
    force: {
      type: "boolean",
      summary: "Even if tasks, or ports that only root may bind, are not kept",
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon restart", "Run the installed version"]],
  async run(context, { values }) {
    const timeout = seconds("timeout", values.timeout) ?? DEFAULT_TIMEOUT_S;
    return await interruptible(
      "Stopped waiting: the daemon may not be running",
      async (signal) => {
        const { force } = values;
        const present = await readPresent(context, signal);
        if (present.needsRoot && context.user === null && !force) {
          throw portsLost();
        }
        const keepTasks = await canKeepTasks(context, { force, signal });
        // Whoever knows the keeper ends the tasks best; without such a daemon the new one does.
        const isGone = !keepTasks && !present.isThere;
        const stopped = isGone ? null : await stopDaemon(context, {
          keepTasks,
          timeoutMs: timeout * 1000,
          signal,
        });
        const args = [
          ...portArguments(values.port),
          ...keepTasks ? [] : ["--replace-keeper", "--resume"],
        ];
        // One that gives its tasks up is not started again by the service manager, which counts that as a stop.
        await using client = await (present.isManaged && keepTasks
          ? nextOfService(context, signal)
          : next(context, args, signal));
        return await report(context, client, { stopped, keepTasks });
      },
    );
  },
});

/** What matters of the daemon that is to be replaced. */
interface Present {
  readonly isThere: boolean;
  /** A service manager starts the next one. */
  readonly isManaged: boolean;
  /** It holds ports for which one must begin as root. */
  readonly needsRoot: boolean;
}

/** Whichever protocol it speaks. */
async function readPresent(
  { paths }: Context,
  signal: AbortSignal,
): Promise<Present> {
  await using client = await connect(paths.daemonSocket, {
    home: paths.home,
    signal,
    anyProtocol: true,
  });
  const isThere = client !== null;
  if (client === null) return { isThere, isManaged: false, needsRoot: false };
  try {
    // Not its status: to tell that it would read, and repair, what the next one is to find.
    const ping = await client.call("daemon.ping", {}, { signal });
    const isManaged = ping.managed === true;
    const needsRoot = !isManaged && ping.needs_root === true;
    return { isThere, isManaged, needsRoot };
  } catch (error) {
    // It ends, or is of a version that does not know the question.
    if (!(error instanceof TaskmuxError)) throw error;
    return { isThere, isManaged: false, needsRoot: false };
  }
}

/** @throws {TaskmuxError} Why the next daemon could not take over, unless only tasks are lost and that is agreed to. */
async function canKeepTasks(
  { paths, user }: Context,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  const { checkDaemon } = await import("../../../client/check_daemon.ts");
  const obstacle = await checkDaemon(paths, { signal, user });
  const isKeeper = obstacle?.details?.["obstacle"] === "keeper";
  if (obstacle !== null && !(isKeeper && force)) throw obstacle;
  return obstacle === null;
}

async function next(
  { paths, user }: Context,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Client> {
  const { ensureDaemon } = await import("../../../client/spawn_daemon.ts");
  return await ensureDaemon(paths, { args, signal, user });
}

/** One that were started here would only be in the way of the service manager's. */
async function nextOfService(
  { paths }: Context,
  signal: AbortSignal,
): Promise<Client> {
  const deadline = systemClock.monotonic() + SERVICE_START_MS;
  while (systemClock.monotonic() < deadline) {
    const client = await connect(paths.daemonSocket, {
      home: paths.home,
      signal,
    });
    if (client !== null) return client;
    await systemClock.sleep(POLL_MS, signal);
  }
  throw new TaskmuxError(
    "E600",
    "Cannot restart daemon: the service manager did not start the next one",
    { hint: "systemctl --user status taskmux" },
  );
}

async function report(
  { output }: Context,
  { hello: { pid, version } }: Client,
  { stopped, keepTasks }: {
    readonly stopped: StoppedDaemon | null;
    readonly keepTasks: boolean;
  },
): Promise<number> {
  const oldPid = stopped?.pid ?? null;
  const fate = keepTasks ? "tasks ran on" : "tasks were stopped first";
  const warnings = version === VERSION ? [] : [
    `The service still starts taskmux ${version}; "taskmux daemon install" brings it up to date`,
  ];
  await output.answer(
    {
      ok: true,
      pid,
      action: "restarted",
      old_pid: oldPid,
      kept_tasks: keepTasks,
      warnings,
    },
    () => [
      oldPid === null
        ? `Started daemon (pid ${pid}); none was running`
        : `Restarted daemon (pid ${pid}, was ${oldPid}); ${fate}`,
    ],
  );
  await output.notes(warningLines(warnings, output.paintError));
  return EXIT.ok;
}

function portsLost(): TaskmuxError {
  return new TaskmuxError(
    "E500",
    "Cannot restart daemon: the next one could not bind the ports of this one",
    {
      hint:
        'sudo env "PATH=$PATH" taskmux daemon restart, or --force to give ' +
        "the ports up",
    },
  );
}
