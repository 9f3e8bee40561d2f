/**
 * The first or the last items of a stream, up to a size.
 *
 * @module
 */

/** Entries that are skipped at the front before they are cut off, so that taking one away costs nothing. */
const MAX_SKIPPED = 1024;

/** Holds the first or the last items of at most `room` bytes together, and at least one. */
export class SizedRing<T> {
  readonly #side: "first" | "last";
  #room: number;
  #items: { readonly item: T; readonly size: number }[] = [];
  #skipped = 0;

  constructor(side: "first" | "last", room: number) {
    this.#side = side;
    this.#room = room;
  }

  /** The next item. */
  push(item: T, size: number): void {
    if (this.#side === "first") {
      if (this.#room <= 0) return;
      this.#room -= size;
      this.#items.push({ item, size });
      return;
    }
    this.#items.push({ item, size });
    this.#room -= size;
    while (this.#room < 0 && this.#skipped < this.#items.length - 1) {
      this.#room += this.#items[this.#skipped++]!.size;
    }
    if (this.#skipped > MAX_SKIPPED) {
      this.#items = this.#items.slice(this.#skipped);
      this.#skipped = 0;
    }
  }

  /** What is held, in order. */
  items(): T[] {
    return this.#items.slice(this.#skipped).map(({ item }) => item);
  }
}
