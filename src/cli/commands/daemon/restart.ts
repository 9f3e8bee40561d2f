/**
 * `taskmux daemon restart`
 *
 * @module
 */

import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { interruptible } from "../../interrupt.ts";
import { seconds } from "../../option_value.ts";
import { stopDaemon } from "../../stop_daemon.ts";
import { connect } from "../../../client/client.ts";
import type { Context } from "../../context.ts";
import { PORT_OPTION, portArguments } from "./start.ts";
import { DEFAULT_TIMEOUT_S, TIMEOUT_OPTION } from "./stop.ts";

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
      summary: "Stop tasks and start them again if they cannot be kept",
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon restart", "Run the installed version"]],
  async run(context, { values }) {
    const { paths, output } = context;
    const timeout = seconds("timeout", values.timeout) ?? DEFAULT_TIMEOUT_S;
    return await interruptible(
      "Stopped waiting: the daemon may not be running",
      async (signal) => {
        const { checkDaemon } = await import(
          "../../../client/check_daemon.ts"
        );
        const obstacle = await checkDaemon(paths, signal);
        const keepTasks = obstacle === null;
        const isKeeper = obstacle?.details?.["obstacle"] === "keeper";
        if (obstacle !== null && !(isKeeper && values.force)) throw obstacle;
        // Whoever knows the keeper ends the tasks best; without such a daemon the new one does.
        const isGone = !keepTasks && await findDaemonOfAny(context) === null;
        const stopped = isGone ? null : await stopDaemon(context, {
          keepTasks,
          timeoutMs: timeout * 1000,
          signal,
        });
        const { ensureDaemon } = await import(
          "../../../client/spawn_daemon.ts"
        );
        await using client = await ensureDaemon(paths, {
          args: [
            ...portArguments(values.port),
            ...keepTasks ? [] : ["--replace-keeper", "--resume"],
          ],
          signal,
        });
        const { pid } = client.hello;
        const oldPid = stopped?.pid ?? null;
        const fate = keepTasks ? "tasks ran on" : "tasks were stopped first";
        await output.answer(
          {
            ok: true,
            pid,
            action: "restarted",
            old_pid: oldPid,
            kept_tasks: keepTasks,
          },
          () => [
            oldPid === null
              ? `Started daemon (pid ${pid}); none was running`
              : `Restarted daemon (pid ${pid}, was ${oldPid}); ${fate}`,
          ],
        );
        return EXIT.ok;
      },
    );
  },
});

/** Pid of the daemon that listens, whichever protocol it speaks; null if none does. */
async function findDaemonOfAny({ paths }: Context): Promise<number | null> {
  await using client = await connect(paths.daemonSocket, {
    home: paths.home,
    anyProtocol: true,
  });
  return client?.hello.pid ?? null;
}
