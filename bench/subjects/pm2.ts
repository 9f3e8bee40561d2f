/**
 * pm2.
 *
 * @module
 */

import { Sandbox } from "../harness/sandbox.ts";
import { session, type Subject } from "./subject.ts";

/** The subject. @param path Its program. */
export function pm2(path: string, version: string): Subject {
  return {
    name: "pm2",
    version,
    settings: "fork mode, shell as program, output through pipes",
    async open(tasks, { signal }) {
      const sandbox = await Sandbox.create(signal);
      const file = await sandbox.write(
        "ecosystem.json",
        JSON.stringify({
          apps: tasks.map(({ name, command, isOnce = false }) => ({
            name,
            script: "/bin/sh",
            args: ["-c", command],
            interpreter: "none",
            ...isOnce ? { autorestart: false } : {},
          })),
        }),
      );
      const common = {
        program: path,
        env: { PM2_HOME: `${sandbox.root}/.pm2` },
      };
      return session({
        sandbox,
        start: { ...common, args: ["start", file] },
        status: { ...common, args: ["jlist"] },
        logs: (task) => ({ ...common, args: ["logs", task, "--nostream"] }),
        stop: { ...common, args: ["kill"] },
        logFile: (task) => `${sandbox.root}/.pm2/logs/${task}-out.log`,
      });
    },
  };
}
