/**
 * How the same things are done with each manager, as its documentation says.
 *
 * @module
 */

import type { Program } from "../harness/sandbox.ts";
import type { Session } from "../subjects/subject.ts";

/** What is done to one task. */
export type Verb = "start" | "stop" | "restart";

/** One manager's ways. */
export interface Controls {
  /** The command line of the process that manages tasks. */
  readonly manager: RegExp;
  /** Acts on one task. */
  act(session: Session, verb: Verb, task: string): Program;
  /** Makes way for another version of the manager; null if there is no such command. */
  upgrade(session: Session): Program | null;
  /** The exit code of a task that ended, in what the status command printed; null if it does not tell. */
  exitCode(status: string, task: string): number | null;
  /** Files from which it reads, when it starts, what it knew before; below the sandbox's root. */
  readonly stateFiles: readonly string[];
  /** Brings a dead manager back; by default the start command does, which starts tasks as well. */
  revive?(session: Session): Program;
  /** Writes down what is to be read later, where that is not done without being asked. */
  save?(session: Session): Program;
  /** Reads what was written down; by default the start command does. */
  resume?(session: Session): Program;
  /** Ends the manager and its tasks. */
  down(session: Session): Program;
  /** Prints the whole log of a task, where it is no file. */
  log?(session: Session, task: string): Program;
}

/** The status command with other arguments after those that all commands share. */
function other(
  { status }: Session,
  shared: number,
  ...args: string[]
): Program {
  return { ...status, args: [...status.args.slice(0, shared), ...args] };
}

/** The number under `exit_code` in the object of that name. */
function exitCodeOf(rows: unknown, task: string): number | null {
  if (!Array.isArray(rows)) return null;
  const row = rows.find((each) => each?.name === task);
  const code = row?.exit_code ?? row?.pm2_env?.exit_code;
  return typeof code === "number" ? code : null;
}

/** Commands of taskmux carry the permissions of the CLI before the words; these begin after the entry point. */
function taskmuxArgs(session: Session, ...words: string[]): Program {
  const at = session.status.args.indexOf("status");
  return other(session, at, ...words);
}

/** By the name of the subject. */
export const CONTROLS: Readonly<Record<string, Controls>> = {
  taskmux: {
    manager: /src\/daemon\/main\.ts/,
    act: (session, verb, task) => taskmuxArgs(session, verb, task),
    upgrade: (session) => taskmuxArgs(session, "daemon", "restart"),
    revive: (session) => taskmuxArgs(session, "daemon", "start"),
    exitCode: (text, task) => exitCodeOf(JSON.parse(text).tasks, task),
    stateFiles: ["home/registry.json", "home/taskmux.db"],
    down: (session) => taskmuxArgs(session, "daemon", "stop"),
  },
  // https://pypi.org/project/taskmux, version 0.9.11: README, "Daemon".
  "Python taskmux": {
    manager: /taskmux.* daemon/,
    act: (session, verb, task) => other(session, 0, verb, task),
    upgrade: (session) => other(session, 0, "daemon", "restart"),
    revive: (session) => other(session, 0, "daemon", "start"),
    exitCode: (text, task) => exitCodeOf(JSON.parse(text).tasks, task),
    stateFiles: [".taskmux/registry.json"],
    down: (session) => other(session, 0, "daemon", "stop"),
  },
  // https://pm2.keymetrics.io/docs/usage/quick-start, /docs/usage/update-pm2, /docs/usage/startup (save, resurrect).
  pm2: {
    manager: /God Daemon/,
    act: (session, verb, task) => other(session, 0, verb, task),
    upgrade: (session) => other(session, 0, "update"),
    exitCode: (text, task) =>
      exitCodeOf(JSON.parse(text.slice(text.indexOf("[{"))), task),
    stateFiles: [".pm2/dump.pm2"],
    revive: (session) => other(session, 0, "resurrect"),
    save: (session) => other(session, 0, "save"),
    resume: (session) => other(session, 0, "resurrect"),
    down: (session) => other(session, 0, "kill"),
  },
  // https://f1bonacc1.github.io/process-compose/cli/process-compose, /launcher (restart, shutdown).
  "process-compose": {
    manager: /process-compose .* up(?: |$)/,
    act: (session, verb, task) => other(session, 5, "process", verb, task),
    upgrade: () => null,
    exitCode: (text, task) => exitCodeOf(JSON.parse(text), task),
    stateFiles: [],
    down: (session) => other(session, 5, "down"),
  },
  // https://pitchfork.jdx.dev/cli, /cli/supervisor.
  pitchfork: {
    manager: /pitchfork supervisor run/,
    act: (session, verb, task) => other(session, 0, verb, task),
    upgrade: (session) => other(session, 0, "supervisor", "start", "--force"),
    revive: (session) => other(session, 0, "supervisor", "start"),
    exitCode: (text, task) => exitCodeOf(JSON.parse(text), task),
    stateFiles: ["state/state.toml"],
    down: (session) => other(session, 0, "supervisor", "stop"),
    log: (session, task) => other(session, 0, "logs", "--raw", task),
  },
  // http://supervisord.org/running.html#supervisorctl-actions: "reload: restart the remote supervisord".
  supervisord: {
    manager: /supervisord /,
    act: (session, verb, task) => other(session, 2, verb, task),
    upgrade: (session) => other(session, 2, "reload"),
    // Its status names the state only.
    exitCode: () => null,
    stateFiles: [],
    down: (session) => other(session, 2, "shutdown"),
  },
};
