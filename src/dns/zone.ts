/**
 * Which names there are below the managed top-level domain. Pure.
 *
 * @module
 */

/**
 * What a name is.
 *
 * `address`: it leads to this machine. `empty`: it is there without an address, since other names are below it. `absent`:
 * there is no such name. `outside`: it is no business of ours.
 */
export type NameKind = "address" | "empty" | "absent" | "outside";

/** The top-level domain all of which is this machine, whatever there is (RFC 6761 §6.3). */
const LOOPBACK_TLD = "localhost";

/** A set of names that does not change. */
export class Zone {
  readonly tld: string;
  readonly #names = new Set<string>();
  /** Names below which every other name is one, too. */
  readonly #catchAlls = new Set<string>();
  /** Names that other names are below of. */
  readonly #parents = new Set<string>();

  /**
   * @param tld Lower case.
   * @param names Full names in lower case without a final dot; `*.shop.localhost` is every name below that one.
   */
  constructor(tld: string, names: readonly string[]) {
    this.tld = tld;
    this.#parents.add(tld);
    for (const name of names) {
      const isCatchAll = name.startsWith("*.");
      const plain = isCatchAll ? name.slice(2) : name;
      (isCatchAll ? this.#catchAlls : this.#names).add(plain);
      for (const parent of parentsOf(name)) this.#parents.add(parent);
    }
  }

  /**
   * What a name is. Takes as many steps as it has labels.
   *
   * @param name Lower case, without a final dot.
   */
  find(name: string): NameKind {
    if (name !== this.tld && !name.endsWith(`.${this.tld}`)) return "outside";
    if (this.tld === LOOPBACK_TLD || this.#names.has(name)) return "address";
    for (const parent of parentsOf(name)) {
      if (this.#catchAlls.has(parent)) return "address";
    }
    return this.#parents.has(name) ? "empty" : "absent";
  }
}

/** `a.b.c` → `b.c`, `c`. */
function* parentsOf(name: string): Generator<string, void> {
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot)) {
    dot++;
    yield name.slice(dot);
  }
}
