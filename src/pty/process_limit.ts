/**
 * How many processes a run may add to those of its user: a bound for fork bombs.
 *
 * Linux counts the processes and threads of a user, not of a run, and compares the count with a limit that each process
 * inherits (RLIMIT_NPROC). So a run gets what its user has at the moment, plus what it may add. The kernel asks nobody
 * who is root.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { LinuxFiles } from "./linux_files.ts";

/** How long a count holds. Many runs start at the same time, and a count reads a file of every process. */
const COUNT_HOLDS_MS = 1_000;

/** Knows the limit that a new run gets. */
export class ProcessLimit {
  readonly #files: LinuxFiles;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #user: string;
  #count = 0;
  #countedAt = -Infinity;

  constructor(files: LinuxFiles, clock: Pick<Clock, "monotonic">) {
    this.#files = files;
    this.#clock = clock;
    this.#user = userOf(files.text("/proc/self/status") ?? "") ?? "0";
  }

  /**
   * The limit of a run that begins now. Once a second it costs about 20 µs per process of the machine.
   *
   * @param pidsLimit Processes the run may add; 0 = any number.
   * @param present The limit of this process, which is never exceeded.
   * @returns Null if the run gets the present one.
   */
  of(pidsLimit: number, present: bigint): bigint | null {
    if (pidsLimit === 0 || this.#user === "0") return null;
    const limit = BigInt(this.#present()) + BigInt(pidsLimit);
    return limit < present ? limit : null;
  }

  /** Processes and threads that the user has, as of the last second. */
  #present(): number {
    const now = this.#clock.monotonic();
    if (now - this.#countedAt < COUNT_HOLDS_MS) return this.#count;
    this.#count = this.#files.numbers("/proc").reduce(
      (sum, pid) =>
        sum + threadsOf(this.#files.text(`/proc/${pid}/status`), this.#user),
      0,
    );
    this.#countedAt = this.#clock.monotonic();
    return this.#count;
  }
}

/** The real user of a process, which is the one that is counted. */
function userOf(status: string): string | null {
  return /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? null;
}

function threadsOf(status: string | null, user: string): number {
  if (status === null || userOf(status) !== user) return 0;
  return Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 1);
}
