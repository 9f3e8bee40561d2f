/**
 * What a task is at one moment, as data.
 *
 * @module
 */

/** The word a user sees. */
export type DisplayState =
  | "stopped"
  | "waiting"
  | "starting"
  | "running"
  | "healthy"
  | "unhealthy"
  | "stopping"
  | "backoff"
  | "failed"
  | "completed";

/** What the user wants of a task; survives every restart of ours. */
export type Desired = "up" | "down";

/** How a process ended. */
export interface Exit {
  /** Exit status, or null when a signal ended it. */
  readonly code: number | null;
  /** Name such as `SIGKILL`, or null. */
  readonly signal: string | null;
  /** Wall time in milliseconds. */
  readonly at: number;
}

/** The result of one probe. */
export interface ProbeResult {
  readonly ok: boolean;
  /** Which kind of evidence. */
  readonly method: "http" | "shell" | "log" | "tcp" | "proc" | "none";
  /** Why it failed; null when ok. */
  readonly reason: string | null;
  /** The beginning of the answer, or the end of what the command printed, of a probe that failed; plain text. */
  readonly output?: string;
  /** Wall time in milliseconds. */
  readonly at: number;
}

/** One process of a task, from its spawn to the end of everything it started. */
export interface RunInfo {
  readonly runId: string;
  readonly pid: number;
  /** Kernel start time of the leader, to tell it from a later process with the same pid. */
  readonly startTime: string;
  /** Wall time of the spawn in milliseconds. */
  readonly startedAt: number;
  readonly port: number | null;
}

/** A state as a sentence says it. */
export function stateText(state: DisplayState): string {
  return state === "backoff" ? "in backoff" : state;
}

/** The wire form of an exit code: negative = minus the signal number. */
export function exitNumber(exit: Exit): number {
  if (exit.code !== null) return exit.code;
  return -(SIGNAL_NUMBERS[exit.signal ?? ""] ?? 1);
}

/** What the event of an exit tells. It may have happened long before the event, while no daemon ran: `ended_at`, seconds. */
export function exitedData(
  runId: string,
  exit: Exit,
): { readonly [key: string]: string | number } {
  return {
    exit_code: exitNumber(exit),
    ...(exit.signal === null ? {} : { signal: exit.signal }),
    run_id: runId,
    ended_at: exit.at / 1000,
  };
}

/** "exited with code 1", "killed by SIGKILL". */
export function exitText(exit: Exit): string {
  return exit.code !== null
    ? `exited with code ${exit.code}`
    : `was ended by ${exit.signal ?? "a signal"}`;
}

/** Signal numbers of Linux on x86 and ARM, signal(7). */
export const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGWINCH: 28,
};

/** The name of a signal number, or `SIG<n>`. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(SIGNAL_NUMBERS)) {
    if (value === number) return name;
  }
  return `SIG${number}`;
}
