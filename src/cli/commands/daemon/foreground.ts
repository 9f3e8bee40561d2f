/**
 * `taskmux daemon` without more: the daemon as a process of this terminal, for service managers and for looking on.
 *
 * @module
 */

import { daemonCommand } from "../../../client/spawn_daemon.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { findDaemon } from "../../daemon_access.ts";
import { PORT_OPTION, portArguments } from "./start.ts";

/** Passed on; each of them takes every task down, then the daemon. */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs the daemon until it ends. */
export const daemonForeground = command({
  usage: "[--port PORT]",
  about: "Runs in the foreground with its log on stderr. Ctrl-C and SIGTERM " +
    "stop every task, then the daemon.\nWith sudo it binds the ports of the " +
    "proxy, then becomes you for everything else.",
  options: { port: PORT_OPTION },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux daemon", "Run it and look on"],
    ['sudo env "PATH=$PATH" taskmux daemon', "With ports 80 and 443"],
    ["taskmux daemon start", "Run it in the background"],
  ],
  async run(context, { values }) {
    const args = [...portArguments(values.port), "--foreground"];
    await using present = await findDaemon(context);
    if (present !== null) {
      const { pid } = present.hello;
      throw new TaskmuxError(
        "E301",
        `Cannot run the daemon here: it is running already (pid ${pid})`,
        {
          hint: context.user === null
            ? "taskmux daemon stop"
            : 'sudo env "PATH=$PATH" taskmux daemon restart',
          details: { pid },
        },
      );
    }
    await context.output.warnEndless(
      "taskmux daemon start runs it in the background",
    );
    const { program, options } = daemonCommand(context.paths, {
      args,
      user: context.user,
    });
    // A session of its own, so that a Ctrl-C of the terminal reaches it once, from here.
    const child = new Deno.Command(program, {
      ...options,
      stdout: context.json ? "null" : "inherit",
      stderr: "inherit",
    }).spawn();
    const forwards = FORWARDED.map((signal) =>
      [signal, () => child.kill(signal)] as const
    );
    for (const [signal, forward] of forwards) {
      Deno.addSignalListener(signal, forward);
    }
    const { code } = await child.status;
    for (const [signal, forward] of forwards) {
      Deno.removeSignalListener(signal, forward);
    }
    await context.output.answer(
      { ok: code === 0, pid: child.pid, action: "exited", exit_code: code },
      () => [],
    );
    return code === 0 ? EXIT.ok : EXIT.failure;
  },
});
