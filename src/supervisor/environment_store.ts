/**
 * The environments of the shells that asked for a start, by digest.
 *
 * They live in memory here and in the keeper, never on disk: they hold secrets. The digest is what gets persisted, so
 * that a later controller can start a task again with the environment it had. What one of the two processes has is given
 * to the next one of the other; when both die at once, and when the machine does, environments are lost.
 *
 * @module
 */

import { Environments } from "../kit/environments.ts";
import type { Keeper } from "./keeper.ts";

/** A base for a task's environment. */
export interface Recalled {
  readonly env: Readonly<Record<string, string>>;
  /** Whether it only stands in for one that nobody knows any more. */
  readonly isSubstitute: boolean;
}

/** See the module. */
export class EnvironmentStore {
  readonly #keeper: Keeper;
  readonly #known = new Environments();
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
    if (this.#known.get(name) !== null) return name;
    this.#known.put(name, env);
    await this.#keeper.request("putEnvironment", { name, env });
    return name;
  }

  /** The environment under a name, or the daemon's own in its place when nobody knows it any more. */
  async recall(name: string | null): Promise<Recalled> {
    if (name === null) return { env: this.#fallback(), isSubstitute: false };
    const known = this.#known.get(name);
    if (known !== null) return { env: known, isSubstitute: false };
    const { env } = await this.#keeper.request("getEnvironment", { name });
    if (env === null) return { env: this.#fallback(), isSubstitute: true };
    this.#known.put(name, env);
    return { env, isSubstitute: false };
  }

  /** Whether an environment can be recalled at once. */
  knows(name: string | null): boolean {
    return name === null || this.#known.get(name) !== null;
  }

  /** Hands everything known to a keeper that is new. */
  async restore(): Promise<void> {
    await Promise.all(
      this.#known.entries().map(([name, env]) =>
        this.#keeper.request("putEnvironment", { name, env })
      ),
    );
  }
}
