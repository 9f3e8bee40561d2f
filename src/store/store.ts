/**
 * Everything the daemon must remember, in one SQLite database: events, runs, wishes, leases, facts.
 *
 * Synchronous; a question takes microseconds to a few milliseconds, as each method says. One writing process, guarded by
 * the daemon's lock; others may read. Projects are not here: `registry.ts`.
 *
 * @module
 */

import type { TaskEvent } from "../domain/event.ts";
import type { Clock } from "../kit/clock.ts";
import { AliasTable } from "./alias_table.ts";
import { CallerTable } from "./caller_table.ts";
import { CursorTable } from "./cursor_table.ts";
import type { Database } from "./database.ts";
import { EventMirror } from "./event_mirror.ts";
import { EventTable } from "./event_table.ts";
import { LeaseTable } from "./lease_table.ts";
import { MetaTable } from "./meta_table.ts";
import { MIRROR_KEPT_LINES } from "./event_mirror.ts";
import { claimMirror } from "./mirror_file.ts";
import { openDatabase, openDatabaseReadOnly } from "./open_database.ts";
import { RunTable } from "./run_table.ts";
import type { StateDamage } from "./state_file.ts";
import { TaskTable } from "./task_table.ts";

/** Where the store keeps its files; `Paths` of `config/paths.ts` fits. */
export interface StorePaths {
  readonly database: string;
  readonly eventsMirror: string;
}

/** How much the store keeps. */
export interface StoreLimits {
  /** Events kept; the oldest go first. */
  readonly maxEvents: number;
  /** Size of the database file in bytes. Beyond it writing fails as on a full disk. */
  readonly maxBytes: number;
}

/** What goes wrong while the store works on. */
export interface StoreProblem {
  /** `state`, `events`: changes or events wait in memory. `mirror`: `events.jsonl` misses events. */
  readonly part: "state" | "events" | "mirror";
  /** Null: it works again. */
  readonly message: string | null;
  /** Events or changes that are lost for good, so far in this episode. */
  readonly lostEvents: number;
}

/** What a store works with. */
export interface StoreOptions {
  readonly clock: Clock;
  /** Told once when something begins to fail and once when it works again, and of every lost event. */
  readonly report?: (problem: StoreProblem) => void;
  readonly limits?: Partial<StoreLimits>;
}

const LIMITS: StoreLimits = {
  maxEvents: 200_000,
  maxBytes: 4 * 1024 * 1024 * 1024,
};

/** How the store was found when it was opened. */
export interface StoreFinding {
  /** Files that could not be used as they were. */
  readonly damage: readonly StateDamage[];
  /** Whether the database was begun just now. */
  readonly isNew: boolean;
  /** Events that the database did not have any more, taken from the mirror. */
  readonly recovered: readonly TaskEvent[];
}

const AS_IT_WAS: StoreFinding = { damage: [], isNew: false, recovered: [] };

/** The store. */
export class Store implements Disposable {
  readonly events: EventTable;
  readonly runs: RunTable;
  readonly tasks: TaskTable;
  readonly leases: LeaseTable;
  readonly aliases: AliasTable;
  readonly meta: MetaTable;
  readonly cursors: CursorTable;
  readonly callers: CallerTable;
  readonly finding: StoreFinding;
  readonly #database: Database;

  private constructor(
    database: Database,
    events: EventTable,
    finding: StoreFinding,
  ) {
    this.#database = database;
    this.events = events;
    this.runs = new RunTable(database);
    this.tasks = new TaskTable(database);
    this.leases = new LeaseTable(database);
    this.aliases = new AliasTable(database);
    this.meta = new MetaTable(database);
    this.cursors = new CursorTable(database);
    this.callers = new CallerTable(database);
    this.finding = finding;
  }

  /**
   * Opens the store for writing; creates and migrates it as needed, files with mode 0600. The folder must exist.
   * What is damaged is moved aside and told in {@linkcode finding}; database and mirror get from each other the events
   * that they lack. Costs about 10 ms, and 2 ms per 10 000 events.
   *
   * @throws {TaskmuxError} E601 if a newer taskmux wrote the database, E900 if it cannot be opened.
   */
  static open(paths: StorePaths, options: StoreOptions): Store {
    const limits = { ...LIMITS, ...options.limits };
    const report = options.report ?? (() => {});
    const now = options.clock.now();
    const { database, isNew, damage } = openDatabase(paths.database, {
      now,
      maxBytes: limits.maxBytes,
    });
    const mirrorDamage = claimMirror(paths.eventsMirror, now);
    database.deferWrites((message, lostEvents) =>
      report({ part: "state", message, lostEvents })
    );
    const mirror = new EventMirror(paths.eventsMirror, (message) => {
      report({ part: "mirror", message, lostEvents: 0 });
    });
    const events = new EventTable(database, {
      mirror,
      maxEvents: limits.maxEvents,
      report: (message, lostEvents) =>
        report({ part: "events", message, lostEvents }),
    });
    const recovered = mirror.eventsAfter(events.lastSeq);
    events.restore(recovered);
    events.continueAfter(mirror.lastSeq());
    events.copyToMirror(MIRROR_KEPT_LINES);
    return new Store(database, events, {
      damage: mirrorDamage === null ? damage : [...damage, mirrorDamage],
      isNew,
      recovered,
    });
  }

  /**
   * Opens the store for reading only, for answers without a daemon. Null if there is no database, or one that a daemon
   * must migrate first. Creates and migrates nothing; writing through it fails. Costs about 1 ms.
   *
   * @throws {TaskmuxError} E601 if a newer taskmux wrote the database, E900 if it cannot be read.
   */
  static openReadOnly(paths: StorePaths): Store | null {
    const database = openDatabaseReadOnly(paths.database);
    if (database === null) return null;
    const events = new EventTable(database, {
      mirror: null,
      maxEvents: Infinity,
      report: () => {},
    });
    return new Store(database, events, AS_IT_WAS);
  }

  /**
   * Runs synchronous `work`, whose changes and events are then stored together: whoever is killed meanwhile has stored
   * all of them or none. Within another such work it joins that. Costs a transaction only if something is written.
   */
  atomically<T>(work: () => T): T {
    this.events.flush();
    return this.#database.atomically(work);
  }

  /** Reads the whole database. @returns What is wrong with it; null if it is whole. */
  check(): string | null {
    const answer = this.#database.prepare<{ quick_check: string }>(
      "pragma quick_check(1)",
    ).get()?.quick_check;
    return answer === "ok" ? null : answer ?? "SQLite does not tell";
  }

  /** Stores what can be stored and closes the files. Idempotent. */
  close(): void {
    if (!this.#database.isOpen) return;
    this.events.flush();
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
