/**
 * What the keeper asks of the operating system.
 *
 * Facts and single calls only; which process belongs to which run is decided in `process_table.ts`.
 *
 * @module
 */

import type { ConnectionEnd, ConnectionOwners } from "./protocol.ts";

/** One process at the moment of a scan. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly group: number;
  readonly session: number;
  readonly state: "alive" | "stopped" | "zombie";
  /** In the system's own unit. With the pid it identifies a process. */
  readonly startTime: number;
  /** The number of the run it was born into, or -1. */
  readonly tag: number;
}

/** Who listens on a TCP port. */
export interface Listeners {
  /** Those that this user may look into; each of them can hold several sockets. */
  readonly seen: readonly {
    readonly pid: number;
    readonly addresses: readonly string[];
  }[];
  /** Sockets whose process cannot be seen: it is another user's, or in a container that shares the network. */
  readonly hidden: readonly {
    /** Of whoever opened the socket. */
    readonly uid: number;
    readonly address: string;
  }[];
}

/** What a new process is born with and hands down to all its descendants. */
export interface BirthMarks {
  readonly runId: string;
  /**
   * Processes that the run may add to those its user has now; 0 = any number. Only on Linux, and only if the user is not
   * root.
   */
  readonly pidsLimit: number;
}

/** The operating system below the keeper. All calls but one are immediate and block for microseconds. */
export interface System {
  /** Identifies this boot of the machine. */
  readonly bootId: string;
  /** Whether every process carries the run it was born into, see {@linkcode forkAs}. */
  readonly hasRunTags: boolean;
  /** Whether orphans among the descendants become children of this process. */
  readonly adoptsOrphans: boolean;

  /** All processes that can be seen. A process that is born or dies meanwhile may be missing. */
  processes(): ProcessRow[];
  /** Null if there is no such process. */
  startTimeOf(pid: number): number | null;
  /**
   * How a process ended that is dead and not reaped yet, as `wait` would tell it. Exactly one of the two is set.
   *
   * @returns Null if that cannot be told.
   */
  statusOf(
    pid: number,
  ): { readonly code: number | null; readonly signal: number | null } | null;
  /** Command line with spaces between the arguments, or the short name in brackets. Empty if the process is gone. */
  commandOf(pid: number): string;
  /** A variable of the environment a process began with; null if unset, unreadable or gone. */
  variableOf(pid: number, name: string): string | null;
  /**
   * Who listens on a TCP port, on whichever address. Looks at every descriptor of the machine, some microseconds each,
   * and lets others have their turns meanwhile.
   *
   * @param first Processes to look at first. When those have all the sockets nobody else is looked at.
   * @returns Null if this system does not tell.
   */
  listenersOn(
    port: number,
    first?: readonly number[],
  ): Promise<Listeners | null>;
  /** Whose a TCP connection between two ends on this machine is; null if this system does not tell. */
  connectionOwners(
    client: ConnectionEnd,
    server: ConnectionEnd,
  ): ConnectionOwners | null;
  /** The TCP ports on which these processes listen, in ascending order; none if this system does not tell. */
  portsOf(pids: readonly number[]): number[];

  /**
   * Sends a signal by number; to a process group when the pid is negative.
   *
   * @returns False if there is nothing to send to, or it is not permitted.
   */
  kill(pid: number, signal: number): boolean;
  /** Reaps a dead child. Never waits. Must not be called for a pid that somebody else waits for. */
  reap(pid: number): boolean;
  /** Whether this user may execute a file, or enter a folder. */
  canExecute(path: string): boolean;

  /**
   * Runs a synchronous fork so that the child and all its descendants, whatever they do, carry the run's tag, if there
   * are tags, and its limit.
   */
  forkAs<T>(marks: BirthMarks, fork: () => T): T;
  /** Puts right what a new child inherited from the keeper and should not have. */
  settleChild(pid: number): void;
  /** A second descriptor of an open file, closed on exec. */
  duplicate(fd: number): number;
  /** Keeps a descriptor from being inherited by programs started later. */
  seal(fd: number): void;
  closeDescriptor(fd: number): void;
  /**
   * Reads from a descriptor that does not block.
   *
   * @returns The number of bytes, 0 at the end, -1 if there is nothing now or reading fails.
   */
  read(fd: number, buffer: Uint8Array<ArrayBuffer>): number;
  /** Makes standard output and error append to an existing file. Without the file they stay as they are. */
  redirectOutput(path: string): void;
}

/** Number of a run for the kernel's tag. */
export function runNumber(runId: string): number {
  return Number.parseInt(runId, 16);
}
