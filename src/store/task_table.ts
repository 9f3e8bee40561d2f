/**
 * What the user wants of each task, so that it survives every restart of ours.
 *
 * @module
 */

import type { Desired } from "../domain/task_state.ts";
import type { Database, Statement } from "./database.ts";

/** What is wanted of one task. */
export interface TaskRow {
  readonly desired: Desired;
  /** The user stopped it by hand: only the user starts it again. */
  readonly manual: boolean;
  /** Wall time in milliseconds of the last change. */
  readonly changedAt: number;
  /** The definition of a task that is in no configuration file, as JSON; null for the others. */
  readonly adhoc: string | null;
  /** What else the supervisor wants to find again, as it wrote it; null = nothing. */
  readonly state: string | null;
}

interface StoredRow {
  readonly task: string;
  readonly desired: Desired;
  readonly manual: number;
  readonly changed_at: number;
  readonly adhoc: string | null;
  readonly state: string | null;
}

/** What is wanted of the tasks of all projects. */
export class TaskTable {
  readonly #database: Database;
  readonly #select: Statement<StoredRow>;
  readonly #upsert: Statement<never>;
  readonly #delete: Statement<never>;
  readonly #deleteSession: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#select = database.prepare(
      "select task, desired, manual, changed_at, adhoc, state from tasks where session = ? order by task",
    );
    this.#upsert = database.prepare(
      "insert or replace into tasks values (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#delete = database.prepare(
      "delete from tasks where session = ? and task = ?",
    );
    this.#deleteSession = database.prepare(
      "delete from tasks where session = ?",
    );
  }

  /** Task → what is wanted of it; a task nobody ever asked for is absent. O(tasks of the project). */
  desired(session: string): Map<string, TaskRow> {
    return new Map(
      this.#select.all(session).map((row) => [row.task, {
        desired: row.desired,
        manual: row.manual !== 0,
        changedAt: row.changed_at,
        adhoc: row.adhoc,
        state: row.state,
      }]),
    );
  }

  /** Remembers what is wanted of a task, in place of all that was remembered. One write by key. Waits for a full disk. */
  setDesired(session: string, task: string, row: TaskRow): void {
    const { desired, changedAt, adhoc, state } = row;
    const manual = row.manual ? 1 : 0;
    this.#database.write(
      () =>
        this.#upsert.run(
          session,
          task,
          desired,
          manual,
          changedAt,
          adhoc,
          state,
        ),
      1,
    );
  }

  /** Forgets a task. One delete by key. Waits for a full disk. */
  remove(session: string, task: string): void {
    this.#database.write(() => this.#delete.run(session, task), 1);
  }

  /** Forgets all tasks of a project. O(its tasks). Waits for a full disk. */
  removeSession(session: string): void {
    this.#database.write(() => this.#deleteSession.run(session), 1);
  }
}
