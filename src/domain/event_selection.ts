/**
 * Which events somebody wants to see: by project, task, type and severity.
 *
 * @module
 */

import { closest } from "../kit/did_you_mean.ts";
import { TaskmuxError } from "./error.ts";
import type { EventRecord, Severity, TaskEvent } from "./event.ts";
import {
  EVENT_CATALOG,
  isEventType,
  severityOf,
  typesFrom,
} from "./event_catalog.ts";

/** Tasks that a project has in common with another one, where they run and tell their events. */
export interface SharedTasks {
  /** The other project. */
  readonly session: string;
  readonly tasks: readonly string[];
}

/** All conditions hold together. */
export interface EventSelection {
  /** A project id: its events, and those of taskmux itself, which concern every project. Absent = all projects. */
  readonly session?: string;
  /** With a project: the events of these, too. */
  readonly shared?: SharedTasks | null;
  /** Empty or absent = all, those of no task too. */
  readonly tasks?: readonly string[];
  /** Empty or absent = all. */
  readonly types?: readonly string[];
}

/** The event as it is answered. */
export function toRecord(event: TaskEvent): EventRecord {
  const { seq, ts, event: type, ...rest } = event;
  return { seq, ts, event: type, severity: severityOf(type), ...rest };
}

/** Whether an event is among those selected. */
export function isSelected(
  event: Pick<TaskEvent, "event" | "session" | "task">,
  selection: EventSelection,
): boolean {
  const { session, tasks = [], types = [] } = selection;
  return (session === undefined || event.session === null ||
    event.session === session || isShared(event, selection.shared)) &&
    (tasks.length === 0 ||
      (event.task !== undefined && tasks.includes(event.task))) &&
    (types.length === 0 || types.includes(event.event));
}

function isShared(
  { session, task }: Pick<TaskEvent, "session" | "task">,
  shared: EventSelection["shared"],
): boolean {
  return shared !== undefined && shared !== null && task !== undefined &&
    session === shared.session && shared.tasks.includes(task);
}

/**
 * The types that were asked for by name and severity; empty = all.
 *
 * @param level The least severity; null = any.
 * @throws {TaskmuxError} E500 if a name is no type of event, or none of the names is that severe.
 */
export function selectedTypes(
  names: readonly string[],
  level: Severity | null,
): string[] {
  for (const name of names) {
    if (isEventType(name)) continue;
    const near = closest(name, Object.keys(EVENT_CATALOG));
    throw new TaskmuxError(
      "E500",
      `Cannot select events by type "${name}": there is none of that name`,
      {
        hint: near === null ? "docs/events.md" : `did you mean "${near}"?`,
        details: { type: name, known: Object.keys(EVENT_CATALOG) },
      },
    );
  }
  if (level === null) return [...names];
  const severe: readonly string[] = typesFrom(level);
  const both = names.length === 0
    ? [...severe]
    : names.filter((name) => severe.includes(name));
  if (both.length > 0) return both;
  throw new TaskmuxError(
    "E500",
    `Cannot select events: none of the types is of level "${level}"`,
    { hint: `taskmux events --level ${level}`, details: { level } },
  );
}

/**
 * Makes sure that whoever asks for the events of a task means one that there is, or was.
 *
 * @param names What was asked for.
 * @param known Tasks of the file, and those that the history tells of.
 * @throws {TaskmuxError} E200 with a suggestion for the first that is unknown.
 */
export function checkTaskNames(
  names: readonly string[],
  known: ReadonlySet<string>,
): void {
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const near = closest(unknown, known);
  throw new TaskmuxError(
    "E200",
    `Task '${unknown}' not found in config, nor in the history of events`,
    {
      hint: near === null ? "taskmux status" : `did you mean "${near}"?`,
      details: { task: unknown, known: [...known] },
    },
  );
}
