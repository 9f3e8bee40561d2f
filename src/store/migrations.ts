/**
 * The shape of the state database, as the steps that lead to it.
 *
 * Append only: a step that has been released is never edited, because databases exist that have run it. The version of a
 * database (`user_version`) is the number of steps it has run.
 *
 * @module
 */

/** Steps in order. Each runs once, in one transaction with the change of the version. */
export const MIGRATIONS: readonly string[] = [
  `
  -- autoincrement: a number is never given twice, not even after its row is gone.
  create table events (
    seq integer primary key autoincrement,
    at integer not null,
    event text not null,
    session text,
    task text,
    data text
  ) strict;
  create index events_session on events (session);
  create index events_task on events (session, task);

  -- Kept by the database itself, so that no path into the events can forget it. Outlives pruned events.
  create table event_counts (
    session text not null,
    task text not null,
    event text not null,
    count integer not null,
    primary key (session, task, event)
  ) strict, without rowid;
  create trigger events_counted after insert on events
  when new.session is not null and new.task is not null begin
    insert into event_counts values (new.session, new.task, new.event, 1)
    on conflict do update set count = count + 1;
  end;

  create table runs (
    number integer primary key autoincrement,
    run_id text not null unique,
    session text not null,
    task text not null,
    pid integer not null,
    start_time text not null,
    boot_id text not null,
    started_at integer not null,
    port integer,
    command text not null,
    digest text not null,
    ended_at integer,
    exit_code integer,
    exit_signal text,
    reason text
  ) strict;
  create index runs_task on runs (session, task, number);
  create index runs_live on runs (number) where ended_at is null;

  create table tasks (
    session text not null,
    task text not null,
    desired text not null check (desired in ('up', 'down')),
    manual integer not null,
    changed_at integer not null,
    adhoc text,
    state text,
    primary key (session, task)
  ) strict, without rowid;

  create table leases (
    session text not null,
    task text not null,
    port integer not null unique,
    primary key (session, task)
  ) strict, without rowid;

  create table meta (
    key text primary key,
    value text not null
  ) strict, without rowid;
  `,
  `
  -- Up to which event each caller has been told; sessions: a JSON object of the projects that are further.
  create table callers (
    caller text primary key,
    seq integer not null,
    sessions text not null,
    used_at integer not null
  ) strict, without rowid;
  `,
  `
  -- How far each caller has read the logs of a project, by a name of its choice.
  create table cursors (
    caller text not null,
    session text not null,
    name text not null,
    cursor text not null,
    used_at integer not null,
    primary key (caller, session, name)
  ) strict, without rowid;
  create index cursors_used on cursors (used_at);
  `,
  `
  -- Names of a project for ports that are not its own.
  create table aliases (
    session text not null,
    name text not null,
    host text not null,
    port integer not null,
    primary key (session, name),
    unique (session, host)
  ) strict, without rowid;
  `,
];
