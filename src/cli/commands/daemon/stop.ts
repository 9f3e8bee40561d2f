/**
 * `taskmux daemon stop`
 *
 * @module
 */

import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { interruptible } from "../../interrupt.ts";
import { seconds } from "../../option_value.ts";
import { stopDaemon } from "../../stop_daemon.ts";

/** The option of every command that stops a daemon. */
export const TIMEOUT_OPTION = {
  type: "string",
  value: "SECONDS",
  summary: "Longest wait for its end (default 60)",
} as const;

/** How long the daemon may take to end, in seconds. Its tasks have their own grace periods. */
export const DEFAULT_TIMEOUT_S = 60;

/** Stops the daemon. */
export const daemonStop = command({
  usage: "[--timeout SECONDS]",
  about: "Every task of every project is stopped first, dependents before " +
    "what they depend on. They stay\ndown until they are started, or the machine boots. " +
    "Nothing is ever killed for being slow.",
  options: { timeout: TIMEOUT_OPTION },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon stop", "Stop everything on this machine"]],
  async run(context, { values }) {
    const { output } = context;
    const timeout = seconds("timeout", values.timeout) ?? DEFAULT_TIMEOUT_S;
    return await interruptible(
      "Stopped waiting: the daemon goes on stopping",
      async (signal) => {
        const stopped = await stopDaemon(context, {
          keepTasks: false,
          timeoutMs: timeout * 1000,
          signal,
        });
        if (stopped === null) {
          throw new TaskmuxError(
            "E600",
            "Cannot stop daemon: it is not running",
            { details: { running: false } },
          );
        }
        const { pid, tasks } = stopped;
        await output.answer(
          { ok: true, pid, action: "stopped", stopped: tasks },
          () => [
            ...tasks.map((task) => `Stopped task "${task}"`),
            `Stopped daemon (pid ${pid})`,
          ],
        );
        return EXIT.ok;
      },
    );
  },
});
