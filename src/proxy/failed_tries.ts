/**
 * How often visitors were wrong, so that nobody can go on guessing.
 *
 * @module
 */

/** Wrong tries after which a visitor has to wait. */
export const MOST_TRIES = 10;

/** How long tries are remembered, from the first one on. */
export const REMEMBERED_MS = 15 * 60_000;

/** Visitors that are remembered; of more the oldest are forgotten. */
const MOST_VISITORS = 4_096;

interface Tries {
  count: number;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/** See the module. */
export class FailedTries {
  readonly #visitors = new Map<string, Tries>();
  readonly #now: () => number;

  /** @param now Monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Counts a try before it is known how it ends, so that many at once are counted as well.
   *
   * @returns Milliseconds to wait; 0 = go ahead.
   */
  begin(visitor: string | null): number {
    const key = groupOf(visitor);
    const now = this.#now();
    let tries = this.#visitors.get(key);
    if (tries === undefined || tries.since + REMEMBERED_MS <= now) {
      tries = { count: 0, since: now };
      this.#visitors.delete(key);
      this.#visitors.set(key, tries);
      this.#forgetOldest();
    }
    if (tries.count >= MOST_TRIES) return tries.since + REMEMBERED_MS - now;
    tries.count += 1;
    return 0;
  }

  /** A try was right: what came before is forgotten. */
  forget(visitor: string | null): void {
    this.#visitors.delete(groupOf(visitor));
  }

  #forgetOldest(): void {
    if (this.#visitors.size <= MOST_VISITORS) return;
    const [oldest] = this.#visitors.keys();
    if (oldest !== undefined) this.#visitors.delete(oldest);
  }
}

/** Who counts as one visitor: with IPv6 it is everybody in a network of 64 bits, which is what one customer has. */
export function groupOf(visitor: string | null): string {
  if (visitor === null) return "";
  if (!visitor.includes(":")) return visitor;
  const [head = "", tail] = visitor.toLowerCase().split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [
    ...first,
    ...new Array<string>(Math.max(0, zeros)).fill("0"),
    ...last,
  ];
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
