/**
 * What each caller has been told of the events: the number up to which, for all projects and for single ones.
 *
 * @module
 */

import type { EventSelection } from "../domain/event_selection.ts";
import type { Database, Statement } from "./database.ts";

/** Callers that are remembered. Beyond it the one that has not asked for longest is forgotten. */
export const MAX_CALLERS = 1_000;

/** Projects of one caller with a mark of their own. Beyond it the one with the oldest mark has none any more. */
const MAX_SESSIONS = 200;

/** How exactly it is known when a caller was here last; so a question costs no write. */
const USED_MS = 3_600_000;

/** The mark of events of taskmux itself. */
export const OWN_EVENTS = "";

/** Up to where a caller has been told. */
export interface CallerMarks {
  /** Events of any project up to this number. */
  readonly seq: number;
  /** Those of single projects up to a higher one; {@linkcode OWN_EVENTS}: of taskmux itself; `project/task`: of a task. */
  readonly sessions: Readonly<Record<string, number>>;
}

interface Entry {
  readonly marks: CallerMarks;
  readonly usedAt: number;
}

/** Up to where the caller has been told of the events of a project, or of one of its tasks. */
export function markOf(
  { seq, sessions }: CallerMarks,
  session: string,
  task: string | null = null,
): number {
  const ofTask = task === null ? 0 : sessions[taskMark(session, task)] ?? 0;
  return Math.max(seq, sessions[session] ?? 0, ofTask);
}

/** The mark of a task that was told of in a project which shares it. Neither names of tasks nor ids have a `/`. */
function taskMark(session: string, task: string): string {
  return `${session}/${task}`;
}

/** The marks after an answer. @param about Null = of all projects. */
export function advance(
  marks: CallerMarks,
  about: Required<Pick<EventSelection, "session" | "shared">> | null,
  seq: number,
): CallerMarks {
  if (about === null) return { seq: Math.max(seq, marks.seq), sessions: {} };
  const { session, shared } = about;
  const told = [
    session,
    OWN_EVENTS,
    ...shared?.tasks.map((task) => taskMark(shared.session, task)) ?? [],
  ];
  const all = {
    ...marks.sessions,
    ...Object.fromEntries(told.map((name) => [name, seq])),
  };
  const kept = Object.entries(all)
    .filter(([name, mark]) =>
      mark > marks.seq && !name.startsWith(taskMark(session, ""))
    )
    .sort(([, one], [, other]) => one - other);
  const dropped = kept.length > MAX_SESSIONS
    ? kept.splice(0, kept.length - MAX_SESSIONS)
    : [];
  // What it never asked about is then older than many answers that it has had.
  return {
    seq: dropped.at(-1)?.[1] ?? marks.seq,
    sessions: Object.fromEntries(kept),
  };
}

/** Marks of all callers. Every method is a look-up in memory, or one statement by primary key. */
export class CallerTable {
  readonly #database: Database;
  /** What was asked for or changed by this process: the database may be behind while the disk is full. */
  readonly #known = new Map<string, Entry>();
  readonly #get: Statement<{ seq: number; sessions: string; used_at: number }>;
  readonly #set: Statement<never>;
  readonly #trim: Statement<{ caller: string }>;

  constructor(database: Database) {
    this.#database = database;
    this.#get = database.prepare(
      "select seq, sessions, used_at from callers where caller = ?",
    );
    this.#set = database.prepare(
      "insert or replace into callers values (?, ?, ?, ?)",
    );
    this.#trim = database.prepare(
      `delete from callers where caller in (
         select caller from callers order by used_at desc, caller limit -1 offset ?
       ) returning caller`,
    );
  }

  /** The marks of a caller; null for a new one, or one that was forgotten. */
  get(caller: string): CallerMarks | null {
    return this.#entry(caller)?.marks ?? null;
  }

  /** Notes that the caller is here. @param now Wall time in milliseconds. @param seq Where a new one begins. */
  greet(caller: string, now: number, seq: number): CallerMarks {
    const entry = this.#entry(caller);
    const marks = entry?.marks ?? { seq, sessions: {} };
    const isFresh = entry !== null && Math.abs(now - entry.usedAt) < USED_MS;
    if (!isFresh) this.set(caller, marks, now);
    return marks;
  }

  /** Notes what the caller has been told. Waits for a full disk. */
  set(caller: string, marks: CallerMarks, now: number): void {
    const isNew = this.#entry(caller) === null;
    this.#remember(caller, { marks, usedAt: now });
    const { seq, sessions } = marks;
    const forgotten = this.#database.write((): { caller: string }[] => {
      this.#set.run(caller, seq, JSON.stringify(sessions), now);
      return isNew ? this.#trim.all(MAX_CALLERS) : [];
    }, []);
    for (const each of forgotten) this.#known.delete(each.caller);
  }

  #entry(caller: string): Entry | null {
    const known = this.#known.get(caller);
    if (known !== undefined) return known;
    const row = this.#get.get(caller);
    if (row === undefined) return null;
    const { seq, sessions, used_at: usedAt } = row;
    const entry = { marks: { seq, sessions: JSON.parse(sessions) }, usedAt };
    this.#remember(caller, entry);
    return entry;
  }

  /** On a full disk none is forgotten by the database. */
  #remember(caller: string, entry: Entry): void {
    const [eldest] = this.#known.keys();
    const isFull = this.#known.size >= 2 * MAX_CALLERS;
    if (isFull && eldest !== undefined) this.#known.delete(eldest);
    this.#known.set(caller, entry);
  }
}
