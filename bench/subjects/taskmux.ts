/**
 * taskmux of this checkout, each of its processes under the permissions it has in earnest.
 *
 * @module
 */

import { logFile, type Paths, resolvePaths } from "../../src/config/paths.ts";
import { VERSION } from "../../src/contract/wire.ts";
import { cliCommand } from "../../tests/support/deno_flags.ts";
import { type Program, Sandbox } from "../harness/sandbox.ts";
import { session, type Subject } from "./subject.ts";

/** The name and so the id of the project. */
const PROJECT = "bench";

/** The subject. */
export function taskmux(): Subject {
  return {
    name: "taskmux",
    version: VERSION,
    settings: '`log_max_size = "2GB"`, so that no line is rotated away',
    async open(tasks, { signal }) {
      const sandbox = await Sandbox.create(signal);
      const { paths } = taskmuxHome(sandbox);
      await sandbox.write("home/config.toml", "api_port = 0\n");
      await Deno.chmod(paths.home, 0o700);
      await sandbox.write(
        "project/taskmux.toml",
        `name = "${PROJECT}"\n` +
          tasks.map(({ name, command, isOnce = false, port }) =>
            `[tasks.${name}]\ncommand = ${JSON.stringify(command)}\n` +
            `log_max_size = "2GB"\n` +
            (isOnce ? 'restart_policy = "no"\n' : "") +
            (port === undefined ? "" : `port = ${port}\n`)
          ).join(""),
      );
      return session({
        sandbox,
        start: taskmuxCommand(sandbox, ["start"]),
        status: taskmuxCommand(sandbox, ["status", "--json"]),
        logs: (task) => taskmuxCommand(sandbox, ["logs", task]),
        stop: taskmuxCommand(sandbox, ["daemon", "stop"]),
        logFile: (task) => logFile(paths, PROJECT, task),
      });
    },
  };
}

/** The state folder of taskmux in a sandbox. */
export function taskmuxHome(sandbox: Sandbox): { readonly paths: Paths } {
  return { paths: resolvePaths({ TASKMUX_HOME: `${sandbox.root}/home` }) };
}

/** `taskmux ARGS…` for a session that {@linkcode taskmux} opened. */
export function taskmuxCommand(
  sandbox: Sandbox,
  args: readonly string[],
): Program {
  const { paths } = taskmuxHome(sandbox);
  return {
    ...cliCommand(paths, args),
    cwd: `${sandbox.root}/project`,
    env: { TASKMUX_HOME: paths.home },
  };
}

/** The pids of the daemon and of its keeper. */
export async function taskmuxPids(
  sandbox: Sandbox,
): Promise<{ readonly daemon: number; readonly keeper: number }> {
  const { text } = await sandbox.ask(
    taskmuxCommand(sandbox, ["daemon", "status", "--json"]),
  );
  const status = JSON.parse(text) as { pid: number; keeper: { pid: number } };
  return { daemon: status.pid, keeper: status.keeper.pid };
}
