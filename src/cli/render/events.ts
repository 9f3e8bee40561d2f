/**
 * Events for people, one line each.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { Paint, Style } from "./paint.ts";
import { plainText } from "./text.ts";

/** One event as it comes over the wire. */
export type EventRecord = Result<"event.list">["events"][number];

/** How events are printed. */
export interface EventOptions {
  readonly paint: Paint;
  /** Name the project of each event. */
  readonly withSession: boolean;
}

const OWN_KEYS = new Set(["seq", "ts", "event", "session", "task"]);

const BAD = /fail|unhealthy|max_restarts|error|lost/;
const NOTABLE = /kill|restart|exited|reaped|changed/;

/** One event: time, whose it is, what, and its facts. */
export function eventLine(
  event: EventRecord,
  { paint, withSession }: EventOptions,
): string {
  const owner = [withSession ? event.session : null, event.task ?? null]
    .filter((part) => part !== null).join("/");
  const facts = Object.entries(event)
    .filter(([key, value]) => !OWN_KEYS.has(key) && value !== null)
    .map(([key, value]) => `${key}=${factText(value)}`);
  return [
    paint("dim", event.ts.replace(/\.\d+(?=Z|$)/, "")),
    ...owner === "" ? [] : [paint("cyan", `[${owner}]`)],
    paint(styleOf(event.event), event.event),
    ...facts.length === 0 ? [] : [paint("dim", `(${facts.join(", ")})`)],
  ].join(" ");
}

function factText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(factText).join(",")}]`;
  if (typeof value === "object") return plainText(JSON.stringify(value));
  return plainText(String(value));
}

function styleOf(event: string): Style {
  if (BAD.test(event)) return "red";
  return NOTABLE.test(event) ? "yellow" : "green";
}
