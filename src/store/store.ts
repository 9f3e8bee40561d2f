/**
 * Everything the daemon must remember, in one SQLite database: events, runs, wishes, leases, facts.
 *
 * Synchronous; a question takes microseconds to a few milliseconds, as each method says. One writing process, guarded by
 * the daemon's lock; others may read. Projects are not here: `registry.ts`.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { Database } from "./database.ts";
import { EventMirror } from "./event_mirror.ts";
import { EventTable } from "./event_table.ts";
import { LeaseTable } from "./lease_table.ts";
import { MetaTable } from "./meta_table.ts";
import { openDatabase, openDatabaseReadOnly } from "./open_database.ts";
import { RunTable } from "./run_table.ts";
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

/** The store. */
export class Store implements Disposable {
  readonly events: EventTable;
  readonly runs: RunTable;
  readonly tasks: TaskTable;
  readonly leases: LeaseTable;
  readonly meta: MetaTable;
  /** What the user should know about how the store was opened, such as a damaged file that was moved aside. */
  readonly warnings: readonly string[];
  readonly #database: Database;

  private constructor(
    database: Database,
    events: EventTable,
    warnings: readonly string[],
  ) {
    this.#database = database;
    this.events = events;
    this.runs = new RunTable(database);
    this.tasks = new TaskTable(database);
    this.leases = new LeaseTable(database);
    this.meta = new MetaTable(database);
    this.warnings = warnings;
  }

  /**
   * Opens the store for writing; creates and migrates it as needed, files with mode 0600. The folder must exist.
   * A damaged database is moved aside and told in {@linkcode warnings}; event numbers go on after those of the mirror.
   * Costs about 10 ms, and 2 ms per 10 000 events.
   *
   * @throws {TaskmuxError} E601 if a newer taskmux wrote the database, E900 if it cannot be opened.
   */
  static open(paths: StorePaths, options: StoreOptions): Store {
    const limits = { ...LIMITS, ...options.limits };
    const report = options.report ?? (() => {});
    const { database, warnings } = openDatabase(paths.database, {
      now: options.clock.now(),
      maxBytes: limits.maxBytes,
    });
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
    events.continueAfter(mirror.lastSeq());
    return new Store(database, events, warnings);
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
    return new Store(database, events, []);
  }

  /**
   * Runs synchronous `work`, whose changes and events are then stored together: whoever is killed meanwhile has stored
   * all of them or none. Within another such work it joins that. Costs a transaction only if something is written.
   */
  atomically<T>(work: () => T): T {
    this.events.flush();
    return this.#database.atomically(work);
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
