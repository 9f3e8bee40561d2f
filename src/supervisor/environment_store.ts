/**
 * The environments of the shells that asked for a start, by digest.
 *
 * They live in memory here and in the keeper, never on disk: they hold secrets. The digest is what gets persisted, so
 * that a later controller can start a task again with the environment it had.
 *
 * @module
 */

import type { Keeper } from "./keeper.ts";

/** Environments kept in this process; older ones are asked of the keeper again. */
const MAX_CACHED = 64;

/** See the module. */
export class EnvironmentStore {
  readonly #keeper: Keeper;
  readonly #cache = new Map<string, Readonly<Record<string, string>>>();
  readonly #fallback: () => Record<string, string>;

  /** @param fallback The environment for tasks whose own is lost. */
  constructor(keeper: Keeper, fallback: () => Record<string, string>) {
    this.#keeper = keeper;
    this.#fallback = fallback;
  }

  /** Remembers an environment and names it. The same environment always gets the same name. */
  async remember(env: Readonly<Record<string, string>>): Promise<string> {
    const sorted = Object.entries(env).sort(([a], [b]) =>
      a < b ? -1 : a > b ? 1 : 0
    );
    const bytes = new TextEncoder().encode(JSON.stringify(sorted));
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    const name = new Uint8Array(digest).toHex().slice(0, 32);
    if (this.#cache.has(name)) return name;
    this.#remember(name, env);
    await this.#keeper.request("putEnvironment", { name, env });
    return name;
  }

  /** The environment under a name; the fallback when nobody knows it any more. */
  async recall(
    name: string | null,
  ): Promise<Readonly<Record<string, string>>> {
    if (name === null) return this.#fallback();
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    const { env } = await this.#keeper.request("getEnvironment", { name });
    if (env === null) return this.#fallback();
    this.#remember(name, env);
    return env;
  }

  /** Hands everything known to a keeper that is new. */
  async restore(): Promise<void> {
    for (const [name, env] of this.#cache) {
      await this.#keeper.request("putEnvironment", { name, env });
    }
  }

  #remember(name: string, env: Readonly<Record<string, string>>): void {
    this.#cache.set(name, env);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= MAX_CACHED) break;
      this.#cache.delete(oldest);
    }
  }
}
