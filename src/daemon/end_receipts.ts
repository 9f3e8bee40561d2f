/**
 * Tells the keeper which ends of runs it may forget: those whose event is on disk, in the database or at least in its
 * mirror, from which the next daemon restores it. What only this daemon's memory knows would be lost with it, so on a full
 * disk the keeper goes on remembering, and the next daemon is told again.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { TaskScope } from "../kit/task_scope.ts";
import type { Store } from "../store/store.ts";
import type { Keeper } from "../supervisor/keeper.ts";

/** Pause between two looks at a disk that did not take it. */
const RETRY_MS = 1_000;

/** What an {@linkcode EndReceipts} works with. */
export interface EndReceiptsOptions {
  readonly store: Store;
  readonly keeper: Keeper;
  readonly clock: Clock;
  /** Owns the wait for the disk. */
  readonly scope: TaskScope;
}

/** See the module. */
export class EndReceipts {
  readonly #options: EndReceiptsOptions;
  /** Ends that are recorded in memory only. At most as many as the keeper has runs. */
  readonly #owed = new Set<string>();

  constructor(options: EndReceiptsOptions) {
    this.#options = options;
  }

  /** Whether the end of a run is recorded, and only not on disk yet: whoever hears of it again need not do anything. */
  isOwed(runId: string): boolean {
    return this.#owed.has(runId);
  }

  /** The end of a run is recorded. Lets the keeper forget it, at once if the record is on disk. */
  async give(runId: string): Promise<void> {
    const { store, scope } = this.#options;
    if (this.#owed.size === 0 && store.events.isDurable()) {
      return await this.#acknowledge([runId]);
    }
    this.#owed.add(runId);
    if (this.#owed.size === 1) scope.run((signal) => this.#giveOwed(signal));
  }

  async #giveOwed(signal: AbortSignal): Promise<void> {
    const { clock, store } = this.#options;
    while (!store.events.isDurable()) await clock.sleep(RETRY_MS, signal);
    const runIds = [...this.#owed];
    this.#owed.clear();
    await this.#acknowledge(runIds);
  }

  async #acknowledge(runIds: readonly string[]): Promise<void> {
    await this.#options.keeper.request("acknowledge", { runIds });
  }
}
