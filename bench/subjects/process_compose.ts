/**
 * process-compose.
 *
 * @module
 */

import { Sandbox } from "../harness/sandbox.ts";
import { session, type Subject } from "./subject.ts";

/** The subject. @param path Its program. */
export function processCompose(path: string, version: string): Subject {
  return {
    name: "process-compose",
    version,
    settings:
      "detached, no TUI, `--keep-project`; its least restart delay is 1 s, " +
      "the default",
    async open(tasks, { signal }) {
      const sandbox = await Sandbox.create(signal);
      const logFile = (task: string): string =>
        `${sandbox.root}/logs/${task}.log`;
      // YAML contains JSON.
      const file = await sandbox.write(
        "process-compose.yaml",
        JSON.stringify({
          version: "0.5",
          // Dollars are the shell's.
          disable_env_expansion: true,
          processes: Object.fromEntries(
            tasks.map(({ name, command, isOnce = false }) => [name, {
              command,
              availability: { restart: isOnce ? "no" : "always" },
              log_location: logFile(name),
            }]),
          ),
        }),
      );
      await Deno.mkdir(`${sandbox.root}/logs`);
      const common = [
        "-U",
        "-u",
        `${sandbox.root}/pc.sock`,
        "-L",
        `${sandbox.root}/pc.log`,
      ];
      return session({
        sandbox,
        start: {
          program: path,
          args: [...common, "-t=false", "-D", "--keep-project", "-f", file]
            .concat("up"),
        },
        status: {
          program: path,
          args: [...common, "process", "list", "-o", "json"],
        },
        logs: (task) => ({
          program: path,
          args: [...common, "process", "logs", task],
        }),
        stop: { program: path, args: [...common, "down"] },
        logFile,
      });
    },
  };
}
