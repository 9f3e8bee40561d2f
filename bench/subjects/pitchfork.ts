/**
 * pitchfork.
 *
 * @module
 */

import { Sandbox } from "../harness/sandbox.ts";
import { session, type Subject } from "./subject.ts";

/** The subject. @param path Its program. */
export function pitchfork(path: string, version: string): Subject {
  return {
    name: "pitchfork",
    version,
    settings: "`ready_delay = 0` (default 3 s); for restarts `retry = 5` and " +
      "`PITCHFORK_INTERVAL=1s` (default 10 s)",
    async open(tasks, { signal, isEager = false }) {
      const sandbox = await Sandbox.create(signal);
      await sandbox.write(
        "project/pitchfork.toml",
        tasks.map(({ name, command, isOnce = false, port }) =>
          `[daemons.${name}]\nrun = ${JSON.stringify(command)}\n` +
          `ready_delay = 0\nretry = ${isOnce ? 0 : 5}\n` +
          (port === undefined ? "" : `expected_port = [${port}]\n`)
        ).join(""),
      );
      const common = {
        program: path,
        cwd: `${sandbox.root}/project`,
        env: {
          PITCHFORK_STATE_DIR: `${sandbox.root}/state`,
          ...isEager ? { PITCHFORK_INTERVAL: "1s" } : {},
        },
      };
      return session({
        sandbox,
        start: { ...common, args: ["start", "--local"] },
        status: { ...common, args: ["list", "--json"] },
        logs: (task) => ({ ...common, args: ["logs", task] }),
        stop: { ...common, args: ["supervisor", "stop"] },
        // Its logs are a database.
        logFile: () => null,
      });
    },
  };
}
