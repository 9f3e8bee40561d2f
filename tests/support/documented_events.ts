/**
 * Events against what `docs/events.md` says of them.
 *
 * @module
 */

import {
  EVENT_CATALOG,
  type EventFact,
  isEventType,
} from "../../src/domain/event_catalog.ts";

const COMMON = new Set(["seq", "ts", "event", "severity", "session", "task"]);

const IS_OF_TYPE: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: Number.isInteger,
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  object: (value) => typeof value === "object" && value !== null,
  "array of strings": (value) =>
    Array.isArray(value) && value.every((each) => typeof each === "string"),
  "array of integers": (value) =>
    Array.isArray(value) && value.every(Number.isInteger),
};

/** Whether a value has the type that a fact is documented with. */
export function isOfType(value: unknown, type: string): boolean {
  return type.split(" or ").some((name) => {
    const isOf = IS_OF_TYPE[name];
    if (isOf === undefined) throw new Error(`Cannot check type "${name}"`);
    return isOf(value);
  });
}

/** What an event has that is not documented, or lacks that is. */
export function undocumented(event: Record<string, unknown>): string[] {
  const type = String(event["event"]);
  if (!isEventType(type)) return [`${type}: no such type`];
  const { facts, subject } = EVENT_CATALOG[type];
  const problems: string[] = [];
  const tell = (what: string): void => {
    problems.push(`${type}: ${what} in ${JSON.stringify(event)}`);
  };
  for (const [key, value] of Object.entries(event)) {
    if (COMMON.has(key)) continue;
    const fact: EventFact | undefined = facts[key];
    if (fact === undefined) tell(`"${key}" is not documented`);
    else if (!isOfType(value, fact.type)) tell(`"${key}" is no ${fact.type}`);
  }
  for (const [key, { isOptional }] of Object.entries(facts)) {
    if (isOptional !== true && !(key in event)) tell(`"${key}" is missing`);
  }
  const hasSession = typeof event["session"] === "string";
  if (hasSession !== (subject !== "taskmux")) tell("session");
  const hasTask = typeof event["task"] === "string";
  const mayHaveTask = subject === "task" || subject === "project or task";
  if ((hasTask && !mayHaveTask) || (!hasTask && subject === "task")) {
    tell("task");
  }
  return problems;
}

/** The same for the text of `events.jsonl`. Lines that are no events of taskmux, such as torn ones, are passed over. */
export function undocumentedIn(mirror: string): string[] {
  return mirror.split("\n").flatMap((line) => {
    const event = eventOf(line);
    return event === null ? [] : undocumented(event);
  });
}

function eventOf(line: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(line);
    const isEvent = typeof value?.seq === "number" &&
      isEventType(String(value.event));
    return isEvent ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
