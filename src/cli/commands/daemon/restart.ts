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
import { PORT_OPTION, portArguments } from "./start.ts";
import { DEFAULT_TIMEOUT_S, TIMEOUT_OPTION } from "./stop.ts";

/** Replaces the daemon. */
export const daemonRestart = command({
  usage: "[--port PORT] [--timeout SECONDS]",
  about:
    "Tasks run on, and so do their logs. Needed after an upgrade and for " +
    "changed settings.",
  options: {
    port: PORT_OPTION,
    timeout: TIMEOUT_OPTION,
    force: { type: "boolean", summary: "Has no effect" },
  },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon restart", "Run the installed version"]],
  async run(context, { values }) {
    const args = portArguments(values.port);
    const timeout = seconds("timeout", values.timeout) ?? DEFAULT_TIMEOUT_S;
    return await interruptible(
      "Stopped waiting: the daemon may not be running",
      async (signal) => {
        const stopped = await stopDaemon(context, {
          keepTasks: true,
          timeoutMs: timeout * 1000,
          signal,
        });
        const { ensureDaemon } = await import(
          "../../../client/spawn_daemon.ts"
        );
        await using client = await ensureDaemon(context.paths, {
          args,
          signal,
        });
        const { pid } = client.hello;
        const oldPid = stopped?.pid ?? null;
        await context.output.answer(
          { ok: true, pid, action: "restarted", old_pid: oldPid },
          () => [
            oldPid === null
              ? `Started daemon (pid ${pid}); none was running`
              : `Restarted daemon (pid ${pid}, was ${oldPid}); tasks ran on`,
          ],
        );
        return EXIT.ok;
      },
    );
  },
});
