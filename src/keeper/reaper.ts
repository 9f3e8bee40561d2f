/**
 * Reaps orphans that the keeper adopted and that died: nobody else will.
 *
 * Always one pid at a time. Waiting for any child would steal the exits of leaders from the native module.
 *
 * @module
 */

import { Timer } from "../kit/timer.ts";
import type { ProcessSnapshot } from "../pty/process_snapshot.ts";
import type { ProcessTable } from "../pty/process_table.ts";
import type { System } from "../pty/system.ts";

/** Deaths within this time are looked at together: a scan reads the whole process table. */
const COALESCE_MS = 50;

/** Signals can be merged or lost, so there is a look without one now and then. */
const SWEEP_MS = 10_000;

/** What a reaper is given. */
export interface ReaperOptions {
  readonly table: ProcessTable;
  readonly system: System;
  /** Pids that somebody else waits for. */
  readonly leaders: ReadonlySet<number>;
  /** Shown each look at the processes. */
  readonly onSnapshot: (snapshot: ProcessSnapshot) => void;
}

/** See the module. */
export class Reaper implements Disposable {
  readonly #options: ReaperOptions;
  readonly #soon = new Timer(() => this.#reap());
  readonly #sweep = new Timer(() => this.#reap());
  readonly #onChild = () => this.#soon.arm(COALESCE_MS);

  constructor(options: ReaperOptions) {
    this.#options = options;
    Deno.addSignalListener("SIGCHLD", this.#onChild);
    this.#sweep.arm(SWEEP_MS);
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGCHLD", this.#onChild);
    this.#soon.disarm();
    this.#sweep.disarm();
  }

  #reap(): void {
    this.#sweep.arm(SWEEP_MS);
    const { table, system, leaders, onSnapshot } = this.#options;
    const snapshot = table.snapshotNow();
    for (const pid of snapshot.zombies()) {
      if (!leaders.has(pid)) system.reap(pid);
    }
    onSnapshot(snapshot);
  }
}
