/**
 * The daemon of the first taskmux, which uses the same folder: found, told, never signalled.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { systemClock } from "../kit/clock.ts";
import { runCommand } from "../kit/run_command.ts";
import { readStateText } from "../store/state_file.ts";

const PS_LIMIT_MS = 3_000;

/** Longest command line that is told. */
const COMMAND_LENGTH_MAX = 120;

/** A living process that `daemon.pid` names. */
export interface PythonDaemon {
  readonly pid: number;
  /** A sentence without a full stop. */
  readonly message: string;
}

/** The process that `daemon.pid` names, if it lives and is a taskmux. Asks `ps`. */
export async function findPythonDaemon(
  { home }: Paths,
  signal: AbortSignal,
): Promise<PythonDaemon | null> {
  const text = await readStateText(`${home}/daemon.pid`);
  const pid = Number(/^\s*(\d{1,10})\s*$/.exec(text ?? "")?.[1] ?? NaN);
  if (!(pid > 1)) return null;
  const command = await commandOf(pid, signal);
  // The number may be that of somebody else by now.
  if (!command.includes("taskmux")) return null;
  return {
    pid,
    message: `The daemon of the Python taskmux runs as pid ${pid} (${
      command.slice(0, COMMAND_LENGTH_MAX)
    }) and uses the same folder; stop its tasks, then: kill ${pid}`,
  };
}

async function commandOf(pid: number, signal: AbortSignal): Promise<string> {
  const outcome = await runCommand({
    argv: ["ps", "-ww", "-o", "command=", "-p", String(pid)],
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    timeoutMs: PS_LIMIT_MS,
    killGraceMs: 100,
    outputLimitBytes: 16 * 1024,
    stderr: "discard",
    leftovers: "kill",
    clock: systemClock,
    signal,
  });
  return outcome.kind === "exited" ? outcome.output.trim() : "";
}
