/**
 * The Python original.
 *
 * @module
 */

import { freePort } from "../../tests/support/free_port.ts";
import { Sandbox } from "../harness/sandbox.ts";
import { session, type Subject } from "./subject.ts";

/** The subject. @param path Its program. */
export function pythonTaskmux(path: string, version: string): Subject {
  return {
    name: "Python taskmux",
    version,
    settings:
      "no proxy, no MCP; for restarts `health_check_interval = 1`, its least",
    async open(tasks, { signal, isEager = false }) {
      const sandbox = await Sandbox.create(signal);
      await sandbox.write(
        ".taskmux/config.toml",
        `api_port = ${freePort()}\nproxy_enabled = false\n` +
          (isEager ? "health_check_interval = 1\n" : "") +
          "auto_inject_agents = false\n[mcp]\nenabled = false\n",
      );
      await sandbox.write(
        "project/taskmux.toml",
        'name = "bench"\nauto_inject_agents = false\n' +
          tasks.map(({ name, command, isOnce = false, port }) =>
            `[tasks.${name}]\ncommand = ${JSON.stringify(command)}\n` +
            'log_max_size = "2GB"\n' +
            (isOnce ? 'restart_policy = "no"\n' : "") +
            // It gives a port to whoever has a host, and takes none.
            (port === undefined ? "" : 'host = "web"\n')
          ).join(""),
      );
      const common = {
        program: path,
        cwd: `${sandbox.root}/project`,
        env: { TASKMUX_DISABLE_PROXY: "1" },
      };
      return session({
        sandbox,
        start: { ...common, args: ["start"] },
        status: { ...common, args: ["status", "--json"] },
        logs: (task) => ({ ...common, args: ["logs", task] }),
        stop: { ...common, args: ["daemon", "stop"] },
        logFile: (task) =>
          `${sandbox.root}/.taskmux/projects/bench/logs/${task}.log`,
      });
    },
  };
}
