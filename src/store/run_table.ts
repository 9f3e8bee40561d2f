/**
 * The record of every run: who it was, so that it can be recognised after a crash, and how it ended.
 *
 * @module
 */

import type { Exit, RunInfo } from "../domain/task_state.ts";
import type { Database, Statement } from "./database.ts";

/** Ended runs kept per task; older ones are forgotten when a new one starts. */
export const MAX_RUNS_PER_TASK = 100;

/** Pid of a run that was written down and is not known to have been spawned. */
export const NOT_SPAWNED = 0;

/** Boot of a run that is known from its events only. */
export const UNKNOWN_BOOT = "";

/** A run that starts. */
export interface NewRun extends RunInfo {
  readonly session: string;
  readonly task: string;
  /** Identifies the boot of the machine in which `pid` and `startTime` mean something. */
  readonly bootId: string;
  readonly command: string;
  /** Of the definition it was started from, to tell a changed one. */
  readonly digest: string;
}

/** A run as it is remembered. */
export interface RunRow extends NewRun {
  /** Null while it is not known to have ended. */
  readonly exit: Exit | null;
  /** Why it ended, in a word; null while it is not known to have ended. */
  readonly reason: string | null;
}

/** How a run ended. */
export interface RunEnding extends Exit {
  readonly reason: string;
}

interface StoredRun {
  readonly run_id: string;
  readonly session: string;
  readonly task: string;
  readonly pid: number;
  readonly start_time: string;
  readonly boot_id: string;
  readonly started_at: number;
  readonly port: number | null;
  readonly command: string;
  readonly digest: string;
  readonly ended_at: number | null;
  readonly exit_code: number | null;
  readonly exit_signal: string | null;
  readonly reason: string | null;
}

/** Runs of all projects. */
export class RunTable {
  readonly #database: Database;
  readonly #insert: Statement<never>;
  readonly #prune: Statement<never>;
  readonly #spawned: Statement<never>;
  readonly #forget: Statement<never>;
  readonly #end: Statement<never>;
  readonly #find: Statement<StoredRun>;
  readonly #live: Statement<StoredRun>;
  readonly #history: Statement<StoredRun>;
  readonly #last: Statement<StoredRun>;
  readonly #deleteSession: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#insert = database.prepare(
      `insert into runs (run_id, session, task, pid, start_time, boot_id, started_at, port, command, digest)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#prune = database.prepare(
      `delete from runs where ended_at is not null and session = ?1 and task = ?2 and number <= (
         select number from runs where session = ?1 and task = ?2
         order by number desc limit 1 offset ${MAX_RUNS_PER_TASK})`,
    );
    this.#spawned = database.prepare(
      "update runs set pid = ?, start_time = ?, started_at = ? where run_id = ?",
    );
    this.#forget = database.prepare("delete from runs where run_id = ?");
    this.#end = database.prepare(
      `update runs set exit_code = ?, exit_signal = ?, ended_at = ?, reason = ?
       where run_id = ? and ended_at is null`,
    );
    this.#find = database.prepare("select * from runs where run_id = ?");
    this.#live = database.prepare(
      "select * from runs where ended_at is null order by number",
    );
    this.#history = database.prepare(
      `select * from runs where session = ? and task = ? and pid <> ${NOT_SPAWNED}
       order by number desc limit ?`,
    );
    this.#last = database.prepare(
      `select * from runs where number in (
         select max(number) from runs where session = ? and pid <> ${NOT_SPAWNED} group by task)
       order by task`,
    );
    this.#deleteSession = database.prepare(
      "delete from runs where session = ? and ended_at is not null",
    );
  }

  /**
   * Remembers a run that starts, or with {@linkcode NOT_SPAWNED} that is about to: its processes can then be found
   * whatever happens meanwhile. One transaction; forgets the oldest ended runs of the task. Waits for a full disk.
   *
   * @throws {TaskmuxError} E900 if the run id is known already.
   */
  start(run: NewRun): void {
    this.#database.write(() => {
      this.#insertRun(run);
      this.#prune.run(run.session, run.task);
    }, undefined);
  }

  /**
   * Remembers a run that lives, whatever was known of it: nothing after the loss of a database, or that it had ended.
   * One write by key. Waits for a full disk.
   */
  revive(run: NewRun): void {
    this.#database.write(() => {
      this.#forget.run(run.runId);
      this.#insertRun(run);
    }, undefined);
  }

  /** The record of a run; null if there is none. One look-up. */
  find(runId: string): RunRow | null {
    const row = this.#find.get(runId);
    return row === undefined ? null : fromStored(row);
  }

  /** Remembers that a run has been spawned. One write by key. Waits for a full disk. */
  spawned(
    run: Pick<RunInfo, "runId" | "pid" | "startTime" | "startedAt">,
  ): void {
    const { runId, pid, startTime, startedAt } = run;
    this.#database.write(
      () => this.#spawned.run(pid, startTime, startedAt, runId),
      1,
    );
  }

  /** Forgets a run that was never spawned. One write by key. Waits for a full disk. */
  forget(runId: string): void {
    this.#database.write(() => this.#forget.run(runId), 1);
  }

  /**
   * Remembers how a run ended. One write by key. Waits for a full disk.
   *
   * @returns False, and nothing changes, if the run is unknown or has ended before: the first cause stands.
   */
  end(runId: string, ending: RunEnding): boolean {
    const { code, signal, at, reason } = ending;
    return this.#database.write(
      () => this.#end.run(code, signal, at, reason, runId) > 0,
      true,
    );
  }

  /** Whether a run is remembered. One look-up by key. */
  has(runId: string): boolean {
    return this.bootOf(runId) !== null;
  }

  /** The boot of a run; null if it is not remembered. One look-up by key. */
  bootOf(runId: string): string | null {
    return this.#database.prepare<{ boot_id: string }>(
      "select boot_id from runs where run_id = ?",
    ).get(runId)?.boot_id ?? null;
  }

  /** Runs of all projects that are not known to have ended, in the order of their start. O(live runs). */
  live(): RunRow[] {
    return this.#live.all().map(fromStored);
  }

  /** The runs of a task, newest first. O(limit). */
  history(session: string, task: string, limit: number): RunRow[] {
    return this.#history.all(session, task, limit).map(fromStored);
  }

  /** Task → its last run. O(runs of the project), on an index. */
  last(session: string): Map<string, RunRow> {
    return new Map(
      this.#last.all(session).map((row) => [row.task, fromStored(row)]),
    );
  }

  /** Forgets the ended runs of a project; live ones stay, for they must be found again. O(its runs). */
  removeSession(session: string): void {
    this.#deleteSession.run(session);
  }

  #insertRun(run: NewRun): void {
    this.#insert.run(
      run.runId,
      run.session,
      run.task,
      run.pid,
      run.startTime,
      run.bootId,
      run.startedAt,
      run.port,
      run.command,
      run.digest,
    );
  }
}

function fromStored(row: StoredRun): RunRow {
  return {
    runId: row.run_id,
    session: row.session,
    task: row.task,
    pid: row.pid,
    startTime: row.start_time,
    bootId: row.boot_id,
    startedAt: row.started_at,
    port: row.port,
    command: row.command,
    digest: row.digest,
    exit: row.ended_at === null ? null : {
      code: row.exit_code,
      signal: row.exit_signal,
      at: row.ended_at,
    },
    reason: row.reason,
  };
}
