/**
 * supervisord, only here: it has no status as JSON and no task without a section of its own.
 *
 * @module
 */

import { Sandbox } from "../harness/sandbox.ts";
import { session, type Subject } from "../subjects/subject.ts";

/**
 * The subject, set up as http://supervisord.org/configuration.html says; `stopasgroup` and `killasgroup` on, which its
 * documentation recommends for programs that have children.
 *
 * @param path Its program; `supervisorctl` lies beside it.
 */
export function supervisord(path: string, version: string): Subject {
  return {
    name: "supervisord",
    version,
    settings: "`stopasgroup` and `killasgroup` on (default off)",
    async open(tasks, { signal }) {
      const sandbox = await Sandbox.create(signal);
      const { root } = sandbox;
      const logFile = (task: string): string => `${root}/${task}.log`;
      await Promise.all(
        tasks.map(({ name, command }) =>
          sandbox.write(`${name}.sh`, `${command}\n`)
        ),
      );
      const config = await sandbox.write(
        "supervisord.conf",
        `[unix_http_server]\nfile=${root}/s.sock\n` +
          `[supervisord]\nlogfile=${root}/supervisord.log\n` +
          `pidfile=${root}/supervisord.pid\nchildlogdir=${root}\n` +
          "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = " +
          "supervisor.rpcinterface:make_main_rpcinterface\n" +
          `[supervisorctl]\nserverurl=unix://${root}/s.sock\n` +
          tasks.map(({ name, isOnce = false }) =>
            `[program:${name}]\ncommand=/bin/sh ${root}/${name}.sh\n` +
            `startsecs=0\nstopasgroup=true\nkillasgroup=true\n` +
            `autorestart=${isOnce ? "false" : "true"}\n` +
            `redirect_stderr=true\nstdout_logfile=${logFile(name)}\n`
          ).join(""),
      );
      const control = path.replace(/supervisord$/, "supervisorctl");
      return session({
        sandbox,
        start: { program: path, args: ["-c", config] },
        status: { program: control, args: ["-c", config, "status"] },
        logs: (task) => ({
          program: control,
          args: ["-c", config, "tail", task],
        }),
        stop: { program: control, args: ["-c", config, "shutdown"] },
        logFile,
      });
    },
  };
}
