/**
 * The secrets of projects, as their tasks, hooks and probes got them. In memory only.
 *
 * A value stays known after the variable has another one, because logs still hold it.
 *
 * @module
 */

import { MAX_SECRETS } from "../domain/known_secrets.ts";
import { secretValues } from "../domain/secret_values.ts";

/** Most projects whose secrets are kept. */
const MAX_SESSIONS = 1_024;

interface Known {
  /** The one that was not seen for longest first. */
  readonly values: Set<string>;
  version: number;
}

/** See the module. */
export class SecretStore {
  /** The project that was not noted for longest first. */
  readonly #sessions = new Map<string, Known>();

  /**
   * Notes what of an environment is secret.
   *
   * @param ordinary Words that are none, such as names of tasks.
   */
  note(
    session: string,
    env: Readonly<Record<string, string>>,
    ordinary: Iterable<string> = [],
  ): void {
    const known = this.#sessions.get(session) ??
      { values: new Set<string>(), version: 0 };
    this.#sessions.delete(session);
    this.#sessions.set(session, known);
    const { values } = known;
    for (const value of secretValues(env, [session, ...ordinary])) {
      if (!values.delete(value)) known.version++;
      values.add(value);
    }
    for (const value of values) {
      if (values.size <= MAX_SECRETS) break;
      values.delete(value);
    }
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MAX_SESSIONS) break;
      this.#sessions.delete(oldest);
    }
  }

  /** All that is known of a project. */
  of(session: string): Iterable<string> {
    return this.#sessions.get(session)?.values ?? [];
  }

  /** Projects of which something is known. */
  get sessions(): string[] {
    return [...this.#sessions.keys()];
  }

  /** Grows with each new value of a project. */
  versionOf(session: string): number {
    return this.#sessions.get(session)?.version ?? 0;
  }
}
