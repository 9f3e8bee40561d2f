/**
 * Events in few tokens, and which of what is new a model is told.
 *
 * @module
 */

import { severityOf } from "../../domain/event_catalog.ts";
import type { Json, JsonObject } from "../../kit/json.ts";
import { shortAge, shortText } from "./short_text.ts";

/** Longest text of a fact, in characters. */
const FACT_LENGTH = 120;

/** Most events that come with an answer, the worst and newest; about 25 tokens each. */
export const MAX_NEWS = 10;

/** Facts that lead somewhere. Ids of runs, and what the name of the event says, do not. */
const KEY_FACTS: readonly string[] = [
  "exit_code",
  "signal",
  "reason",
  "error_code",
  "attempt",
  "delay",
  "port",
  "from",
  "to",
  "hook",
  "message",
  "public_url",
  "access",
];

/** A compact event, with its age in seconds. */
export type CompactEvent = { readonly [key: string]: Json };

/** What an event is shown with. */
export interface EventView {
  /** There is only one project, so none is named. */
  readonly isPinned: boolean;
  /** Wall time in milliseconds. */
  readonly now: number;
}

/** The event with what a model can use. */
export function compactEvent(
  event: Readonly<Record<string, unknown>>,
  { isPinned, now }: EventView,
): CompactEvent {
  const { seq, ts, event: type, task, session } = event;
  const age = (now - Date.parse(String(ts))) / 1000;
  const facts = KEY_FACTS.flatMap((name): (readonly [string, Json])[] => {
    const value = event[name];
    if (typeof value === "number") return [[name, value]];
    return typeof value === "string"
      ? [[name, shortText(value, FACT_LENGTH)]]
      : [];
  });
  return {
    seq: Number(seq),
    event: String(type),
    ...typeof task === "string" ? { task } : {},
    ...!isPinned && typeof session === "string" ? { session } : {},
    ...Object.fromEntries(facts),
    age_s: Math.max(0, Math.round(age)),
  };
}

/** The compact event as a line. */
export function eventText(event: CompactEvent): string {
  const { seq, event: type, task, session, age_s: age, ...facts } = event;
  const subject = [session, task].filter((part) => part !== undefined)
    .join("/");
  return [
    `#${seq} ${shortAge(Number(age))} ago`,
    ...subject === "" ? [] : [subject],
    type,
    ...Object.entries(facts).map(([name, value]) => `${name}=${value}`),
  ].join(" ");
}

/** What is new to a caller, as it is told. */
export interface News {
  readonly structured: {
    readonly recent_events?: readonly CompactEvent[];
    readonly recent_events_omitted?: number;
  };
  readonly lines: readonly string[];
}

/** The worst and newest of what is new, in their order. Nothing at all if nothing is. */
export function newsOf(
  answer: Readonly<Record<string, unknown>>,
  view: EventView,
): News {
  const { recent_events: events, recent_events_omitted: more } = answer;
  if (!Array.isArray(events) || events.length === 0) {
    return { structured: {}, lines: [] };
  }
  const kept = worst(events as readonly JsonObject[]);
  const omitted = events.length - kept.length +
    (typeof more === "number" ? more : 0);
  const compact = kept.map((event) => compactEvent(event, view));
  return {
    structured: {
      recent_events: compact,
      ...omitted === 0 ? {} : { recent_events_omitted: omitted },
    },
    lines: [
      `new: ${compact.map(eventText).join("; ")}${
        omitted === 0 ? "" : `; and ${omitted} more, see taskmux_events`
      }`,
    ],
  };
}

const RANKS: Readonly<Record<string, number>> = {
  error: 2,
  warning: 1,
  info: 0,
};

function worst(events: readonly JsonObject[]): readonly JsonObject[] {
  if (events.length <= MAX_NEWS) return events;
  const rank = (event: JsonObject): number =>
    RANKS[severityOf(String(event["event"]))] ?? 0;
  const kept = new Set(
    events.map((event, index) => ({ event, index }))
      .sort((one, other) =>
        rank(other.event) - rank(one.event) || other.index - one.index
      ).slice(0, MAX_NEWS).map(({ event }) => event),
  );
  return events.filter((event) => kept.has(event));
}
