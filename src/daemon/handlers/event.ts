/**
 * Handlers of the operations on events.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { Scope } from "../../contract/operation.ts";
import { MAX_EVENTS_PER_ANSWER } from "../../contract/wire.ts";
import { checkTaskNames, toRecord } from "../../domain/event_selection.ts";
import {
  cursorText,
  eventFilter,
  timeOf as timeAt,
} from "../../store/event_question.ts";
import type { EventFilter } from "../../store/event_table.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** Events of the past that are read at a time for a follower, who may be slow. */
const PAGE_LENGTH = 500;

/** What these handlers need. */
export interface EventServices extends Pick<Services, "store" | "bus"> {
  readonly host: Pick<Services["host"], "clock">;
  readonly projects: Pick<Services["projects"], "look" | "find" | "all">;
}

/** See the module. */
export function eventHandlers(
  services: EventServices,
): Pick<Handlers, "event.list" | "event.follow"> {
  const { store, host } = services;
  return {
    "event.list": async (params) => {
      const session = await sessionOf(services, params);
      const filter = eventFilter(params, { session, now: host.clock.now() });
      const { afterSeq } = filter;
      const { events, cursor, hasMore } = store.events.list({
        ...filter,
        limit: params.limit === 0
          ? MAX_EVENTS_PER_ANSWER
          : Math.min(params.limit, MAX_EVENTS_PER_ANSWER),
      });
      return {
        ok: true,
        events: events.map(toRecord),
        count: events.length,
        cursor: cursorText(cursor),
        has_more: hasMore,
        ...afterSeq === undefined
          ? {}
          : { forgotten: store.events.forgottenAfter(afterSeq) },
      };
    },
    "event.follow": async function* (params, context) {
      const session = await sessionOf(services, params);
      const now = host.clock.now();
      yield* follow(services, eventFilter(params, { session, now }), context);
    },
  };
}

/** What came after the cursor, if there is one, then what comes. */
async function* follow(
  { store, bus }: EventServices,
  filter: Omit<EventFilter, "limit">,
  { signal }: CallContext,
): AsyncGenerator<Result<"event.follow">, void, void> {
  let { afterSeq } = filter;
  while (afterSeq !== undefined) {
    const page = store.events.list({
      ...filter,
      afterSeq,
      limit: PAGE_LENGTH,
    });
    // In the same breath as the last look back, so nothing falls between and nothing comes twice.
    const live = page.hasMore ? null : bus.subscribe(filter, signal);
    for (const event of page.events) yield toRecord(event);
    if (live !== null) return yield* news(live);
    afterSeq = page.cursor;
  }
  yield* news(bus.subscribe(filter, signal));
}

async function* news(
  live: ReturnType<Services["bus"]["subscribe"]>,
): AsyncGenerator<Result<"event.follow">, void, void> {
  for await (const event of live) {
    if ("gap" in event) yield { gap: Number(event.gap) };
    else yield event;
  }
}

interface Question {
  readonly scope?: Scope | undefined;
  readonly tasks: readonly string[];
}

/**
 * The project that is asked about; null = all.
 *
 * @throws {TaskmuxError} E200 if one of the tasks is neither in a file nor in the history.
 */
async function sessionOf(
  services: EventServices,
  { scope, tasks }: Question,
): Promise<string | null> {
  const { projects } = services;
  const check = (session: string | null, inFile: Iterable<string> | null) =>
    checkTasks(services, { tasks, session, inFile });
  if (scope === undefined) {
    check(null, namesOfAll(services));
    return null;
  }
  const { session } = scope;
  if (session !== undefined) {
    const known = projects.find(session);
    await known?.refresh();
    const inFile = known === null ? [] : known.supervisor?.tasks.keys();
    check(session, inFile ?? null);
    return session;
  }
  await using looked = await projects.look(scope);
  const { supervisor } = looked;
  // What is shared tells its events in the project where it runs.
  const homes = new Set(tasks.map((task) => supervisor.homeOf(task)));
  const [home] = homes;
  const { projectId } = home !== undefined && homes.size === 1
    ? home
    : supervisor;
  check(projectId, supervisor.tasks.keys());
  return projectId;
}

/** Null as long as the file of one of them cannot be read: what is in it is not known. */
function namesOfAll({ projects }: EventServices): Iterable<string> | null {
  const names = new Set<string>();
  for (const { supervisor } of projects.all) {
    if (supervisor === null) return null;
    for (const name of supervisor.tasks.keys()) names.add(name);
  }
  return names;
}

/** @param asked `inFile`: null = nobody can tell. */
function checkTasks(
  { store }: EventServices,
  { tasks, session, inFile }: {
    readonly tasks: readonly string[];
    readonly session: string | null;
    readonly inFile: Iterable<string> | null;
  },
): void {
  if (tasks.length === 0 || inFile === null) return;
  const inHistory = store.events.taskNames(session);
  checkTaskNames(tasks, new Set([...inFile, ...inHistory]));
}

/** A time as users write it, in milliseconds; E500 if it is none. */
export function timeOf(text: string, now: number): number {
  return timeAt(text, now);
}
