/**
 * The history of events: appending, asking, counting, forgetting the oldest.
 *
 * The number of an event is given by the database. When the database cannot be written, events wait in memory with the
 * numbers they will get, are part of every answer, and are stored, in order, as soon as it can be written again.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { EventType, NewEvent, TaskEvent } from "../domain/event.ts";
import { isSelected } from "../domain/event_selection.ts";
import { type CallerMarks, markOf, OWN_EVENTS } from "./caller_table.ts";
import type { Database, Statement } from "./database.ts";
import {
  type Conditions,
  conditions,
  conditionsAfter,
  conditionsAfterOf,
  type EventFilter,
  type EventsAbout,
} from "./event_conditions.ts";
import type { EventMirror } from "./event_mirror.ts";

/** Events that wait in memory for the database; beyond it the oldest is lost. */
export const MAX_WAITING_EVENTS = 10_000;

/** Events are pruned this many at a time, so that no append pays for many. */
const PRUNE_BATCH = 500;

/** An answer. */
export interface EventPage {
  /** Oldest first. */
  readonly events: readonly TaskEvent[];
  /** The `afterSeq` that continues exactly here. */
  readonly cursor: number;
  /** Whether the limit of a question with `afterSeq` has cut off later ones. */
  readonly hasMore: boolean;
}

/** The events after a caller's marks, see {@linkcode EventTable.after}. */
export interface EventNews {
  /** The newest of them, oldest first. */
  readonly events: readonly TaskEvent[];
  /** How many there are. */
  readonly count: number;
  /** The newest number there is, of whichever project. */
  readonly lastSeq: number;
}

/** Told when storing begins to fail, each time an event is lost by it, and with null when it works again. */
export type ReportEvents = (
  message: string | null,
  lostEvents: number,
) => void;

interface StoredEvent {
  readonly seq: number;
  readonly at: number;
  readonly event: EventType;
  readonly session: string | null;
  readonly task: string | null;
  readonly data: string | null;
}

/** What an {@linkcode EventTable} works with. */
export interface EventTableParts {
  readonly mirror: EventMirror | null;
  readonly report: ReportEvents;
  /** At most so many events stay. */
  readonly maxEvents: number;
}

/** Events of all projects. */
export class EventTable {
  readonly #database: Database;
  readonly #parts: EventTableParts;
  readonly #insert: Statement<{ seq: number }>;
  readonly #last: Statement<{ seq: number }>;
  readonly #oldest: Statement<{ seq: number }>;
  #waiting: StoredEvent[] = [];
  /** Numbers of waiting events that only memory has. */
  readonly #inMemory = new Set<number>();
  /** No event gets this number or a lower one. */
  #taken = 0;
  #lostEvents = 0;
  #untilPrune = 0;

  constructor(database: Database, parts: EventTableParts) {
    this.#database = database;
    this.#parts = parts;
    this.#insert = database.prepare(
      "insert or ignore into events (seq, at, event, session, task, data) values (?, ?, ?, ?, ?, ?) returning seq",
    );
    // Not max(seq) of the rows: they may all have been cleared.
    this.#last = database.prepare(
      "select coalesce(max(seq), 0) as seq from sqlite_sequence where name = 'events'",
    );
    this.#oldest = database.prepare(
      "select seq from events order by seq limit 1",
    );
  }

  /** The number of the newest event; 0 before the first. One look-up. */
  get lastSeq(): number {
    const last = this.#waiting.at(-1)?.seq ?? this.#last.get()?.seq ?? 0;
    return Math.max(last, this.#taken);
  }

  /** How many events after a number are not kept any more. One look-up. */
  forgottenAfter(seq: number): number {
    const oldest = this.#oldest.get()?.seq ?? this.#waiting[0]?.seq ??
      this.lastSeq + 1;
    return Math.max(0, oldest - seq - 1);
  }

  /** Makes the next number at least `seq + 1`. For a database that was begun anew. Waits for a full disk. */
  continueAfter(seq: number): void {
    if (seq <= this.lastSeq) return;
    this.#taken = seq;
    this.#database.write(() => {
      this.#database.prepare(
        "delete from sqlite_sequence where name = 'events'",
      ).run();
      this.#database.prepare(
        "insert into sqlite_sequence values ('events', ?)",
      ).run(seq);
    }, undefined);
  }

  /**
   * Gives an event its number and stores it, also in the mirror. About 60 µs; every 500 events some milliseconds.
   *
   * Never fails: what cannot be stored waits in memory, at most {@linkcode MAX_WAITING_EVENTS}. Those are lost if the
   * process ends before the database can be written, and their numbers may then be given again unless the mirror has
   * them.
   *
   * @throws {RangeError} If `at` is no time.
   */
  append(event: NewEvent): TaskEvent {
    const fields = toFields(event);
    const seq = this.#storeWaiting() ? this.#store(fields) : null;
    const stored = { ...fields, seq: seq ?? this.#wait(fields) };
    if (seq !== null) this.#database.onStepLost(() => this.#hold(stored));
    const result = toTaskEvent(stored);
    this.#database.afterStep(() => {
      const isWaiting = this.#waiting.at(-1)?.seq === result.seq;
      const isMirrored = this.#parts.mirror?.append(JSON.stringify(result));
      if (isWaiting && isMirrored !== true) this.#inMemory.add(result.seq);
      if (seq !== null && this.#untilPrune-- <= 0) this.#prune(seq);
    });
    return result;
  }

  /**
   * Takes events over that have numbers already, from the mirror; not into it. Numbers go on after the last of them.
   * One transaction, about 20 µs each. Waits for a full disk.
   *
   * @param events In the order of their numbers; those that are not above {@linkcode lastSeq} are left out.
   */
  restore(events: readonly TaskEvent[]): void {
    const { lastSeq } = this;
    const lacking = events.filter(({ seq }) => seq > lastSeq);
    if (lacking.length === 0) return;
    this.#database.write(() => {
      for (const { seq, ts, event, session, task, ...data } of lacking) {
        const text = Object.keys(data).length === 0
          ? null
          : JSON.stringify(data);
        const at = Date.parse(ts);
        this.#insert.all(seq, at, event, session, task ?? null, text);
      }
    }, undefined);
  }

  /** Brings the mirror up to the newest event. @param count Most events it may get. @returns How many it got. */
  copyToMirror(count: number): number {
    const { mirror } = this.#parts;
    if (mirror === null) return 0;
    const known = mirror.lastSeq();
    if (known >= this.lastSeq) return 0;
    const lacking = this.list({ limit: count }).events
      .filter(({ seq }) => seq > known);
    for (const event of lacking) mirror.append(JSON.stringify(event));
    return lacking.length;
  }

  /**
   * The newest events of a filter, or with `afterSeq` the oldest ones after it; oldest first in both cases.
   *
   * Reads backwards from the end until the limit is reached: microseconds for the common questions, about 50 ms when
   * all 200 000 events must be looked at.
   */
  list(filter: EventFilter): EventPage {
    // Before the events, so that one appended by another process in between comes twice rather than never.
    const lastSeq = this.lastSeq;
    const { limit, afterSeq } = filter;
    const isForward = afterSeq !== undefined;
    const found = this.#select(filter, limit === 0 ? -1 : limit + 1);
    const isMore = limit !== 0 && found.length > limit;
    const kept = !isMore
      ? found
      : isForward
      ? found.slice(0, limit)
      : found.slice(-limit);
    const newest = kept.at(-1)?.seq ?? 0;
    const hasMore = isForward && isMore;
    return {
      events: kept.map(toTaskEvent),
      cursor: hasMore ? newest : Math.max(lastSeq, newest, afterSeq ?? 0),
      hasMore,
    };
  }

  /**
   * The newest events that a caller has not had.
   *
   * @param marks What it has had.
   * @param about Of this project, of what it shares, and of taskmux itself; null = of all projects.
   * @param limit Most events in the answer.
   */
  after(
    marks: CallerMarks,
    about: EventsAbout | null,
    limit: number,
  ): EventNews {
    const { lastSeq } = this;
    const parts = about === null
      ? [conditionsAfter(marks)]
      : conditionsAfterOf(marks, about);
    const waiting = this.#waiting.filter((event) =>
      isSelected(toTaskEvent(event), about ?? {}) &&
      event.seq > markOf(marks, event.session ?? OWN_EVENTS, event.task)
    );
    const counts = parts.map(({ where, params }) =>
      this.#database.prepare<{ count: number }>(
        `select count(*) as count from events ${where}`,
      ).get(...params)?.count ?? 0
    );
    const rows = parts.flatMap((part, index) =>
      counts[index] === 0 ? [] : this.#rows(part, "desc", limit)
    );
    const newest = [...rows, ...waiting].sort(bySeq).slice(-limit);
    return {
      events: newest.map(toTaskEvent),
      count: counts.reduce((sum, count) => sum + count, waiting.length),
      lastSeq,
    };
  }

  /** Oldest first, of those stored and those that wait. @param limit Of each kind; -1 = all. */
  #select(filter: EventFilter, limit: number): StoredEvent[] {
    const order = filter.afterSeq === undefined ? "desc" : "asc";
    const { session, shared, tasks = [], ...rest } = filter;
    const ofAny = tasks.length === 0;
    const borrowed = ofAny
      ? shared?.tasks ?? []
      : tasks.filter((task) => shared?.tasks.includes(task));
    // Several questions, as one for "this or null" would sort all that it finds. An event of taskmux itself has no task.
    const parts = [
      { owner: session, tasks },
      ...session !== undefined && ofAny ? [{ owner: null, tasks }] : [],
      ...session !== undefined && borrowed.length > 0
        ? [{ owner: shared?.session, tasks: borrowed }]
        : [],
    ];
    const stored = parts.flatMap((part) =>
      this.#rows(conditions({ ...rest, ...part }), order, limit)
    );
    const waiting = this.#waiting.filter((event) => matches(event, filter));
    return [...stored, ...waiting].sort(bySeq);
  }

  #rows(
    { where, params }: Conditions,
    order: "asc" | "desc",
    limit: number,
  ): StoredEvent[] {
    return this.#database.prepare<StoredEvent>(
      `select seq, at, event, session, task, data from events ${where}
       order by seq ${order} limit ?`,
    ).all(...params, limit);
  }

  /**
   * Task → type → how many such events a project ever had, pruned ones included. O(tasks × types), not O(events).
   */
  counts(session: string): Map<string, Record<string, number>> {
    const rows = this.#database.prepare<
      { task: string; event: string; count: number }
    >("select task, event, count from event_counts where session = ?")
      .all(session);
    const counts = new Map<string, Record<string, number>>();
    for (
      const { task, event, count } of [...rows, ...this.#uncounted(session)]
    ) {
      const types = counts.get(task) ?? {};
      types[event] = (types[event] ?? 0) + count;
      counts.set(task, types);
    }
    return counts;
  }

  /** The tasks that a project ever had events of, also such as are pruned; null = those of all projects. O(tasks). */
  taskNames(session: string | null): Set<string> {
    const [where, params] = session === null
      ? ["", []]
      : ["where session = ?", [session]];
    const rows = this.#database.prepare<{ task: string }>(
      `select distinct task from event_counts ${where}`,
    ).all(...params);
    const waiting = this.#waiting.flatMap((event) =>
      event.task !== null && event.session !== null &&
        (session === null || event.session === session)
        ? [event.task]
        : []
    );
    return new Set([...rows.map(({ task }) => task), ...waiting]);
  }

  /** Forgets all events and counts, in the mirror too. Numbers go on growing. O(events). @returns How many it forgot. */
  clear(): number {
    const count = this.#waiting.length + this.#database.transaction(() => {
      this.#database.prepare("delete from event_counts").run();
      return this.#database.prepare("delete from events").run();
    });
    const lastSeq = this.lastSeq;
    this.#waiting = [];
    this.continueAfter(lastSeq);
    this.#parts.mirror?.clear();
    return count;
  }

  /** Stores what waits, once more. For the end of a process. */
  flush(): void {
    this.#storeWaiting();
  }

  /** Stores what waits, if it can be. @returns Whether every event is in the database, or at least in the mirror. */
  isDurable(): boolean {
    return this.#storeWaiting() || this.#inMemory.size === 0;
  }

  /** @returns Whether nothing waits any more. */
  #storeWaiting(): boolean {
    if (!this.#database.flush()) return false;
    if (this.#waiting.length === 0) return true;
    if (this.#database.isInStep) return false;
    try {
      this.#database.transaction(() => {
        for (const event of this.#waiting) this.#write(event);
      });
    } catch (error) {
      if (error instanceof TaskmuxError) return false;
      throw error;
    }
    this.#waiting = [];
    this.#inMemory.clear();
    this.#parts.report(null, this.#lostEvents);
    this.#lostEvents = 0;
    return true;
  }

  /** @returns The number, or null if the database cannot be written. */
  #store(fields: Omit<StoredEvent, "seq">): number | null {
    try {
      return this.#write({ ...fields, seq: null });
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      this.#parts.report(error.message, 0);
      this.#database.loseStep();
      return null;
    }
  }

  #write(event: Omit<StoredEvent, "seq"> & { seq: number | null }): number {
    const { at, event: type, session, task, data } = event;
    this.#database.joinStep();
    // Not get(): it stops at the row, before the commit, and never tells that a full disk made that fail.
    const [row] = this.#insert.all(event.seq, at, type, session, task, data);
    if (row !== undefined) return row.seq;
    // Another process has used the number in the meantime.
    if (event.seq !== null) return this.#write({ ...event, seq: null });
    throw new TypeError(`Cannot store event "${type}": a field is missing`);
  }

  /** Holds an event back. @returns Its number. */
  #wait(fields: Omit<StoredEvent, "seq">): number {
    const seq = this.lastSeq + 1;
    this.#hold({ ...fields, seq });
    return seq;
  }

  #hold(event: StoredEvent): void {
    if (this.#waiting.length === MAX_WAITING_EVENTS) {
      this.#waiting.shift();
      this.#lostEvents++;
      this.#parts.report(
        "Too many events wait for the state database",
        this.#lostEvents,
      );
    }
    this.#waiting.push(event);
  }

  #prune(lastSeq: number): void {
    this.#untilPrune = PRUNE_BATCH;
    try {
      // Numbers are unique, so at most this many rows lie above the bound.
      this.#database.prepare("delete from events where seq <= ?")
        .run(lastSeq - (this.#parts.maxEvents - PRUNE_BATCH));
    } catch (error) {
      // Not even forgetting works on a full disk; the next batch tries again.
      if (!(error instanceof TaskmuxError)) throw error;
    }
  }

  #uncounted(
    session: string,
  ): { task: string; event: string; count: number }[] {
    return this.#waiting.flatMap(({ task, event, ...rest }) =>
      rest.session === session && task !== null
        ? [{ task, event, count: 1 }]
        : []
    );
  }
}

/** The same conditions for an event that is not in the database yet. */
function matches(event: StoredEvent, filter: EventFilter): boolean {
  const { sinceMs, untilMs, afterSeq } = filter;
  return isSelected(toTaskEvent(event), filter) &&
    (sinceMs === undefined || event.at >= sinceMs) &&
    (untilMs === undefined || event.at <= untilMs) &&
    (afterSeq === undefined || event.seq > afterSeq);
}

function bySeq(one: StoredEvent, other: StoredEvent): number {
  return one.seq - other.seq;
}

function toFields(event: NewEvent): Omit<StoredEvent, "seq"> {
  return {
    at: Date.parse(new Date(event.at).toISOString()),
    event: event.event,
    session: event.session,
    task: event.task ?? null,
    data: event.data === undefined ? null : JSON.stringify(event.data),
  };
}

function toTaskEvent(row: StoredEvent): TaskEvent {
  return {
    seq: row.seq,
    ts: new Date(row.at).toISOString(),
    event: row.event,
    session: row.session,
    ...(row.task === null ? {} : { task: row.task }),
    ...(row.data === null ? {} : JSON.parse(row.data)),
  };
}
