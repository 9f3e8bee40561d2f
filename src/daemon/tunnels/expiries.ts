/**
 * When tunnels end that were given an end.
 *
 * @module
 */

import type { Clock } from "../../kit/clock.ts";
import type { TunnelRecord } from "./tunnel_notes.ts";

/** What has an end. */
type Ending = Pick<TunnelRecord, "task" | "expiresAt">;

interface Known {
  readonly expiresAt: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/**
 * See the module. Ends are told in wall time, which somebody may set back: from when one is seen first, the time that
 * really passes counts as well.
 */
export class Expiries {
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #known = new Map<string, Known>();

  constructor(clock: Pick<Clock, "now" | "monotonic">) {
    this.#clock = clock;
  }

  /** Milliseconds until its end, none or less when it is over; Infinity = it has none. */
  leftMs({ task, expiresAt }: Ending): number {
    if (expiresAt === null) {
      this.#known.delete(task);
      return Infinity;
    }
    const left = expiresAt - this.#clock.now();
    const now = this.#clock.monotonic();
    const known = this.#known.get(task);
    if (known?.expiresAt === expiresAt) return Math.min(left, known.at - now);
    this.#known.set(task, { expiresAt, at: now + left });
    return left;
  }

  /** Milliseconds until the first of these ends; Infinity = none has an end. */
  nextMs(records: readonly Ending[]): number {
    return Math.min(Infinity, ...records.map((record) => this.leftMs(record)));
  }

  /** Forgets all but these. */
  keep(records: readonly Ending[]): void {
    const tasks = new Set(records.map(({ task }) => task));
    for (const task of this.#known.keys()) {
      if (!tasks.has(task)) this.#known.delete(task);
    }
  }
}
