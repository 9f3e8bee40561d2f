/**
 * The conditions that can be waited for, from text to data and back.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { EventType } from "../domain/event.ts";
import { EVENT_CATALOG } from "../domain/event_catalog.ts";
import { closest } from "../kit/did_you_mean.ts";

/** Longest expression; the keeper, which looks at each line, takes no longer one. */
const MAX_PATTERN_LENGTH = 4 * 1024;

/** Conditions on the state of a task. */
export type StateCondition =
  | "healthy"
  | "running"
  | "started"
  | "completed"
  | "stopped";

/** A condition of `wait`. */
export type WaitCondition =
  | { readonly kind: StateCondition | "port" }
  | { readonly kind: "log"; readonly pattern: string; readonly flags: string }
  | { readonly kind: "event"; readonly type: EventType };

const EVENT_TYPES = Object.keys(EVENT_CATALOG) as EventType[];

const HINT =
  "healthy, running, started, completed, stopped, port, log:/regular expression/ or event:TYPE";

/**
 * Reads a condition: `healthy`, `running`, `started`, `completed`, `stopped`, `port`, `log:/re/` or `event:TYPE`.
 *
 * @throws {TaskmuxError} E500 if it is none of these, the expression is invalid or there are no events of that type.
 */
export function parseCondition(text: string): WaitCondition {
  switch (text) {
    case "healthy":
    case "running":
    case "started":
    case "completed":
    case "stopped":
    case "port":
      return { kind: text };
  }
  if (text.startsWith("event:")) return parseEvent(text);
  const match = /^log:(?:\/(.*)\/([iu]*)|(.+))$/s.exec(text);
  if (match === null) throw unknownCondition(text);
  const pattern = match[1] ?? match[3] ?? "";
  const flags = match[2] ?? "";
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new TaskmuxError(
      "E500",
      `Cannot wait for "${
        pattern.slice(0, 60)
      }…": a pattern has at most ${MAX_PATTERN_LENGTH} characters`,
      { hint: "Wait for a part of the line" },
    );
  }
  try {
    new RegExp(pattern, flags);
  } catch (error) {
    throw new TaskmuxError(
      "E500",
      `Cannot wait for "${text}": ${(error as SyntaxError).message}`,
      { cause: error },
    );
  }
  return { kind: "log", pattern, flags };
}

function parseEvent(text: string): WaitCondition {
  const wanted = text.slice("event:".length);
  const type = EVENT_TYPES.find((each) => each === wanted);
  if (type !== undefined) return { kind: "event", type };
  const near = closest(wanted, EVENT_TYPES);
  throw new TaskmuxError(
    "E500",
    `Cannot wait for "${text}": there are no events of that type`,
    {
      hint: near === null ? "taskmux events" : `did you mean "event:${near}"?`,
      details: { known: EVENT_TYPES },
    },
  );
}

function unknownCondition(text: string): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot wait for "${text}": unknown condition`,
    { hint: HINT },
  );
}

/** The inverse of {@linkcode parseCondition}. */
export function conditionText(condition: WaitCondition): string {
  switch (condition.kind) {
    case "log":
      return `log:/${condition.pattern}/${condition.flags}`;
    case "event":
      return `event:${condition.type}`;
    default:
      return condition.kind;
  }
}
