/**
 * `taskmux_events`
 *
 * @module
 */

import { z } from "zod";
import { contract, type Result } from "../../contract/mod.ts";
import { names, namesOf, words } from "./arguments.ts";
import { compactEvent, eventText } from "./compact_event.ts";
import { type Brief, type BriefContext, defineTool } from "./tool.ts";

/** Most bytes of the events as JSON: about 1 200 tokens. */
const MAX_BYTES = 4_800;

const { limit, since, cursor } = contract["event.list"].params.shape;

/** See the module. */
export const events = defineTool({
  name: "events",
  operation: "event.list",
  description: "Lifecycle events, oldest first",
  reach: "any",
  input: {
    task: names,
    since,
    limit,
    types: words.describe("task_exited,…"),
    cursor,
  },
  output: { events: z.array(z.looseObject({})), cursor: z.string() },
  params: ({ task, types, since, limit, cursor }, scope) => ({
    ...scope === undefined ? {} : { scope },
    tasks: namesOf(task),
    types: namesOf(types),
    since,
    limit,
    cursor,
  }),
  brief: eventsBrief,
});

/**
 * The newest events that fit; with a cursor the oldest, and then its answer's cursor leads to those that did not fit.
 */
export function eventsBrief(
  result: Result<"event.list">,
  context: BriefContext<{ readonly cursor: string | null }>,
): Brief {
  const compact = result.events.map((event) => compactEvent(event, context));
  const isForward = context.args.cursor !== null;
  const sizes = compact.map((event) => JSON.stringify(event).length + 1);
  const count = fitting(isForward ? sizes : sizes.toReversed());
  const omitted = compact.length - count;
  const kept = isForward
    ? compact.slice(0, count)
    : compact.slice(compact.length - count);
  const isCut = isForward && omitted > 0;
  const last = kept.at(-1);
  const cursor = isCut && last !== undefined
    ? String(last["seq"])
    : result.cursor;
  const more = result.has_more || isCut;
  const { session } = context;
  // Those of taskmux itself are told with any project's, be there such a project or not.
  const isOfOthers = session !== null &&
    !result.events.some((event) => event.session === session);
  const notes = isOfOthers ? [`none is of project "${session}"`] : [];
  return {
    structured: {
      events: kept,
      cursor,
      ...more ? { has_more: true } : {},
      ...omitted > 0 && !isForward ? { omitted } : {},
      ...isOfOthers ? { notes } : {},
    },
    text: [
      ...omitted > 0 && !isForward ? [`${omitted} older ones omitted`] : [],
      ...kept.length === 0 ? ["no events"] : kept.map(eventText),
      ...notes,
      `cursor ${cursor}${more ? ", there is more" : ""}`,
    ].join("\n"),
  };
}

function fitting(sizes: readonly number[]): number {
  let bytes = 0;
  const at = sizes.findIndex((size) => (bytes += size) > MAX_BYTES);
  return at === -1 ? sizes.length : Math.max(1, at);
}
