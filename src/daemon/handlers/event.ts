/**
 * Handlers of the operations on events.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { Scope } from "../../contract/operation.ts";
import { MAX_EVENTS_PER_ANSWER } from "../../contract/wire.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { checkTaskNames, toRecord } from "../../domain/event_selection.ts";
import {
  cursorText,
  eventFilter,
  timeOf as timeAt,
} from "../../store/event_question.ts";
import type { EventFilter } from "../../store/event_conditions.ts";
import { sharedTasksOf } from "../../supervisor/shared_tasks.ts";
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
      const about = await aboutOf(services, params);
      const filter = {
        ...eventFilter(params, { now: host.clock.now() }),
        ...about,
      };
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
        ...filter.shared ? { shared: filter.shared } : {},
        ...afterSeq === undefined
          ? {}
          : { forgotten: store.events.forgottenAfter(afterSeq) },
      };
    },
    "event.follow": async function* (params, context) {
      const about = await aboutOf(services, params);
      const filter = eventFilter(params, { now: host.clock.now() });
      yield* follow(services, { about, filter }, context);
    },
  };
}

/** What came after the cursor, if there is one, then what comes. */
async function* follow(
  { store, bus }: EventServices,
  { about, filter }: {
    readonly about: About;
    readonly filter: Omit<EventFilter, "limit">;
  },
  { signal }: CallContext,
): AsyncGenerator<Result<"event.follow">, void, void> {
  let { afterSeq } = filter;
  const { types = [], tasks = [] } = filter;
  // Sharing may begin meanwhile.
  const selection = Object.defineProperties(
    { types, tasks },
    Object.getOwnPropertyDescriptors(about),
  );
  while (afterSeq !== undefined) {
    const page = store.events.list({
      ...filter,
      ...about,
      afterSeq,
      limit: PAGE_LENGTH,
    });
    // In the same breath as the last look back, so nothing falls between and nothing comes twice.
    const live = page.hasMore ? null : bus.subscribe(selection, signal);
    for (const event of page.events) yield toRecord(event);
    if (live !== null) return yield* news(live);
    afterSeq = page.cursor;
  }
  yield* news(bus.subscribe(selection, signal));
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

/** Whose events are asked for. */
type About = Pick<EventFilter, "session" | "shared">;

/**
 * The project that is asked about, if it is one, with what it shares: each time it is read, as it is then.
 *
 * @throws {TaskmuxError} E200 if one of the tasks is neither in a file nor in the history.
 */
async function aboutOf(
  services: EventServices,
  { scope, tasks }: Question,
): Promise<About> {
  const { projects } = services;
  const check = (about: About, inFile: Iterable<string> | null) =>
    checkTasks(services, { tasks, about, inFile });
  if (scope === undefined) {
    check({}, namesOfAll(services));
    return {};
  }
  const { session } = scope;
  // What was unregistered has its history.
  if (session !== undefined && projects.find(session) === null) {
    check({ session }, []);
    return { session };
  }
  try {
    await using looked = await projects.look(scope);
    const { supervisor } = looked;
    const { projectId, tasks: inFile } = supervisor;
    const shared = sharedTasksOf(supervisor);
    const about = {
      session: projectId,
      get shared() {
        const known = projects.find(projectId)?.supervisor ?? null;
        return known === null ? shared : sharedTasksOf(known);
      },
    };
    check(about, inFile.keys());
    return about;
  } catch (error) {
    const hasHistory = error instanceof TaskmuxError && session !== undefined;
    if (hasHistory && error.code !== "E200") return { session };
    throw error;
  }
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
  { tasks, about: { session }, inFile }: {
    readonly tasks: readonly string[];
    readonly about: About;
    readonly inFile: Iterable<string> | null;
  },
): void {
  if (tasks.length === 0 || inFile === null) return;
  const inHistory = store.events.taskNames(session ?? null);
  checkTaskNames(tasks, new Set([...inFile, ...inHistory]));
}

/** A time as users write it, in milliseconds; E500 if it is none. */
export function timeOf(text: string, now: number): number {
  return timeAt(text, now);
}
