/**
 * The process table as the keeper watches it: scans when somebody asks, once for all who ask at the same time.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { inLaterTurn } from "../kit/turn.ts";
import {
  type Membership,
  type NestedTags,
  ProcessSnapshot,
  RUN_VARIABLE,
  type TrackedRun,
} from "./process_snapshot.ts";
import type { System } from "./system.ts";

/** Milliseconds of scanning that may be done in one go. Beyond it half of the time is left to others. */
const BURST_MS = 20;

/** Most tags of other taskmuxes inside of our runs that are remembered. */
const MAX_NESTED_TAGS = 4096;

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
  readonly #nestedTags = new Map<number, string>();
  #earlier: Membership = new Map();
  #next: Promise<ProcessSnapshot> | null = null;
  /** Time scanned and not yet rested for. */
  #debtMs = 0;
  #scannedAt = 0;

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
    for (const [tag, run] of this.#nestedTags) {
      if (run === runId) this.#nestedTags.delete(tag);
    }
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
   * A snapshot that begins after this call. Costs about 5 µs per process of the machine. All who ask before it begins
   * share it; under a storm of asks scanning takes at most half of the time.
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
    this.#debtMs = this.#debtLeft();
    const snapshot = new ProcessSnapshot({
      rows: system.processes(),
      runs: [...this.#runs.values()],
      keeperPid,
      protectedPids: new Set(this.#protected.keys()),
      earlier: this.#earlier,
      nestedTags: this.#nestedTags,
      hasRunTags: system.hasRunTags,
      adoptsOrphans: system.adoptsOrphans,
      runVariableOf: (pid) => system.variableOf(pid, RUN_VARIABLE),
    });
    this.#earlier = snapshot.membership();
    this.#remember(snapshot.nestedTags());
    this.#scannedAt = clock.monotonic();
    this.#debtMs += this.#scannedAt - startedAt;
    return snapshot;
  }

  #remember(tags: NestedTags): void {
    for (const [tag, runId] of tags) this.#nestedTags.set(tag, runId);
    for (const oldest of this.#nestedTags.keys()) {
      if (this.#nestedTags.size <= MAX_NESTED_TAGS) return;
      this.#nestedTags.delete(oldest);
    }
  }

  async #scanSoon(): Promise<ProcessSnapshot> {
    const { clock, signal } = this.#options;
    try {
      const restMs = this.#debtLeft() - BURST_MS;
      if (restMs > 0) await clock.sleep(restMs, signal);
      else await new Promise<void>(inLaterTurn);
    } finally {
      this.#next = null;
    }
    return this.snapshotNow();
  }

  #debtLeft(): number {
    const restedMs = this.#options.clock.monotonic() - this.#scannedAt;
    return Math.max(0, this.#debtMs - restedMs);
  }
}
