/**
 * The secrets of projects, as their tasks, hooks and probes got them. In memory only.
 *
 * A value stays known after the variable has another one, because logs still hold it.
 *
 * @module
 */

import { AnswerRedactor } from "../domain/answer_redactor.ts";
import { MAX_SECRETS } from "../domain/known_secrets.ts";
import { Redactor } from "../domain/redactor.ts";
import { secretValues } from "../domain/secret_values.ts";

/** Most projects whose secrets are kept. */
const MAX_SESSIONS = 1_024;

interface Known {
  redactor: Redactor | null;
  /** The one that was not seen for longest first. */
  readonly values: Set<string>;
  version: number;
}

const NOTHING = new Redactor();

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
      { values: new Set<string>(), version: 0, redactor: null };
    this.#sessions.delete(session);
    this.#sessions.set(session, known);
    const { values } = known;
    for (const value of secretValues(env, [session, ...ordinary])) {
      if (!values.delete(value)) {
        known.version++;
        known.redactor = null;
      }
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

  /** Takes out all that is known of a project. The same one until something new is known. */
  redactorOf(session: string): Redactor {
    const known = this.#sessions.get(session);
    if (known === undefined) return NOTHING;
    known.redactor ??= new Redactor(known.values);
    return known.redactor;
  }

  /** What is to be written down about a project, without its secrets. */
  without<T>(session: string, value: T): T {
    return new AnswerRedactor(this.redactorOf(session)).redact(value);
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
