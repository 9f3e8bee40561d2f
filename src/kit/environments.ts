/**
 * Environments by name, so that a task can be started again as it was started. The keeper has them, for later controllers;
 * the controller has them, for later keepers. In memory only: they hold secrets.
 *
 * @module
 */

/** Most environments kept. */
export const MAX_ENVIRONMENTS = 1024;

/** Most characters kept in all of them. */
export const MAX_CHARACTERS = 32 * 1024 * 1024;

interface Entry {
  readonly env: Readonly<Record<string, string>>;
  readonly size: number;
}

/** Named environments. Beyond a limit the one that was not used for longest is forgotten. */
export class Environments {
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  /** Remembers one, in place of what had its name. */
  put(name: string, env: Readonly<Record<string, string>>): void {
    this.#forget(name);
    const size = Object.entries(env).reduce(
      (sum, [key, value]) => sum + key.length + value.length,
      name.length,
    );
    this.#entries.set(name, { env, size });
    this.#size += size;
    for (const oldest of this.#entries.keys()) {
      if (
        this.#entries.size <= MAX_ENVIRONMENTS && this.#size <= MAX_CHARACTERS
      ) return;
      this.#forget(oldest);
    }
  }

  /** The one with this name, or null. */
  get(name: string): Readonly<Record<string, string>> | null {
    const entry = this.#entries.get(name);
    if (entry === undefined) return null;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry.env;
  }

  /** All that are remembered, the one that was not used for longest first. */
  entries(): [name: string, env: Readonly<Record<string, string>>][] {
    return [...this.#entries].map(([name, { env }]) => [name, env]);
  }

  #forget(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#size -= entry.size;
  }
}
