/**
 * Which connections have nothing under way, and since when.
 *
 * @module
 */

/** A connection that is closed when it was idle for too long. */
export interface Watched {
  /** Requests under way. */
  active: number;
  /** Since when there is none, in monotonic milliseconds. */
  idleSince: number;
  /** Ends it. */
  readonly close: () => void;
}

/** See the module. Costs nothing per request but two assignments. */
export class IdleWatch {
  readonly #connections = new Set<Watched>();
  readonly #now: () => number;

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many there are. */
  get size(): number {
    return this.#connections.size;
  }

  /** Watches a connection from now on. */
  add(close: () => void): Watched {
    const watched: Watched = { active: 0, idleSince: this.#now(), close };
    this.#connections.add(watched);
    return watched;
  }

  /** It is gone. */
  remove(watched: Watched): void {
    this.#connections.delete(watched);
  }

  /** A request begins. */
  begin(watched: Watched): void {
    watched.active += 1;
  }

  /** A request is over. */
  end(watched: Watched): void {
    watched.active -= 1;
    watched.idleSince = this.#now();
  }

  /** Closes what was idle for longer. @param limitMs Milliseconds. */
  sweep(limitMs: number): void {
    const limit = this.#now() - limitMs;
    for (const watched of this.#connections) {
      if (watched.active === 0 && watched.idleSince < limit) watched.close();
    }
  }
}
