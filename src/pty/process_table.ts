/**
 * The process table as the keeper watches it: scans when somebody asks, once for all who ask at the same time.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import {
  type Membership,
  ProcessSnapshot,
  RUN_VARIABLE,
  type TrackedRun,
} from "./process_snapshot.ts";
import type { System } from "./system.ts";

/** Scans take at most this part of the time: the pause after one is its own duration times this. */
const PAUSE_PER_SCAN = 1;

/** What a table is given. */
export interface ProcessTableOptions {
  readonly system: System;
  readonly clock: Clock;
  readonly keeperPid: number;
  /** Cancels scans that are awaited. */
  readonly signal: AbortSignal;
}

/** Knows the runs and the protected processes, and takes snapshots. */
export class ProcessTable {
  readonly #options: ProcessTableOptions;
  readonly #runs = new Map<string, TrackedRun>();
  readonly #protected = new Map<number, number>();
  #earlier: Membership = new Map();
  #next: Promise<ProcessSnapshot> | null = null;
  #restUntil = 0;

  constructor(options: ProcessTableOptions) {
    this.#options = options;
  }

  /** From now on snapshots find the members of this run. */
  track(run: TrackedRun): void {
    this.#runs.set(run.runId, run);
  }

  /** Forgets a run. */
  untrack(runId: string): void {
    this.#runs.delete(runId);
  }

  /** A process that belongs to no run, nor do its descendants. Protected until released as often. */
  protect(pid: number): void {
    this.#protected.set(pid, (this.#protected.get(pid) ?? 0) + 1);
  }

  /** Takes back one {@linkcode protect}. */
  release(pid: number): void {
    const count = (this.#protected.get(pid) ?? 1) - 1;
    if (count === 0) this.#protected.delete(pid);
    else this.#protected.set(pid, count);
  }

  /**
   * A snapshot that begins after this call. Costs about 5 µs per process of the machine; all who ask before it begins
   * share it, and scans leave at least half of the time to others.
   *
   * @throws The reason of the table's signal.
   */
  snapshot(): Promise<ProcessSnapshot> {
    this.#next ??= this.#scanSoon();
    return this.#next;
  }

  /** A snapshot at once, shared with nobody. */
  snapshotNow(): ProcessSnapshot {
    const { system, clock, keeperPid } = this.#options;
    const startedAt = clock.monotonic();
    const snapshot = new ProcessSnapshot({
      rows: system.processes(),
      runs: [...this.#runs.values()],
      keeperPid,
      protectedPids: new Set(this.#protected.keys()),
      earlier: this.#earlier,
      hasRunTags: system.hasRunTags,
      runVariableOf: (pid) => system.variableOf(pid, RUN_VARIABLE),
    });
    this.#earlier = snapshot.membership();
    const endedAt = clock.monotonic();
    this.#restUntil = endedAt + (endedAt - startedAt) * PAUSE_PER_SCAN;
    return snapshot;
  }

  async #scanSoon(): Promise<ProcessSnapshot> {
    const { clock, signal } = this.#options;
    try {
      const pause = Math.max(0, this.#restUntil - clock.monotonic());
      await clock.sleep(pause, signal);
    } finally {
      this.#next = null;
    }
    return this.snapshotNow();
  }
}
