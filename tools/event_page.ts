/**
 * The list of events in `docs/events.md`, from the table in the code and examples that were recorded.
 *
 * @module
 */

import type { EventRecord, EventType, TaskEvent } from "../src/domain/event.ts";
import {
  EVENT_CATALOG,
  type EventFact,
  isEventType,
  SEVERITIES,
} from "../src/domain/event_catalog.ts";
import { toRecord } from "../src/domain/event_selection.ts";
import recorded from "./event_examples.json" with { type: "json" };
import { wrapped } from "./wrapped.ts";

const PAGE = new URL("../docs/events.md", import.meta.url);

const BEGIN = "<!-- events: begin, written by `deno task generate` -->";
const END = "<!-- events: end -->";

/** One event of each type, as it was told in a run of taskmux; the paths are another user's. */
export const EXAMPLES: readonly EventRecord[] = (recorded as TaskEvent[])
  .map(toRecord);

/** The page as it should be, with every type of event. */
export function eventPage(): string {
  const page = Deno.readTextFileSync(PAGE);
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) {
    throw new Error("Cannot list events: the page has no place for them");
  }
  const types = Object.keys(EVENT_CATALOG).filter(isEventType);
  const bySeverity = SEVERITIES.toReversed().map((severity) => {
    const names = types.filter((type) =>
      EVENT_CATALOG[type].severity === severity
    );
    const list = names.map((name) => `\`${name}\``).join(", ");
    return wrapped(`- **${severity}**: ${list}`, "  ");
  });
  const parts = [bySeverity.join("\n"), ...types.map(section)];
  const before = page.slice(0, begin + BEGIN.length);
  return `${before}\n\n${parts.join("\n\n")}\n\n${page.slice(end)}`;
}

function section(type: EventType): string {
  const { severity, subject, when, facts } = EVENT_CATALOG[type];
  const example = EXAMPLES.find(({ event }) => event === type);
  if (example === undefined) {
    throw new Error(`Cannot document "${type}": it has no example`);
  }
  const keys = Object.entries(facts).map(([key, fact]) => factItem(key, fact));
  return [
    `### ${type}`,
    wrapped(
      `${when}. (${severity}, of a ${subject})`.replace(
        "of a taskmux",
        "of taskmux itself",
      ),
    ),
    ...keys.length === 0 ? [] : [keys.join("\n")],
    ["```jsonl", JSON.stringify(example), "```"].join("\n"),
  ].join("\n\n");
}

function factItem(
  key: string,
  { type, meaning, isOptional }: EventFact,
): string {
  const kind = isOptional === true ? `${type}, optional` : type;
  return wrapped(`- \`${key}\` (${kind}): ${meaning}`, "  ");
}
