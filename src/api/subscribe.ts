/**
 * `subscribe`: what a client wants to be told, checked and begun.
 *
 * @module
 */

import {
  type EventSelection,
  selectedTypes,
} from "../domain/event_selection.ts";
import { TaskmuxError } from "../domain/error.ts";
import { unknownSession } from "../domain/unknown_session.ts";
import type { Severity } from "../domain/event.ts";
import type { ParamsInput } from "../contract/mod.ts";
import type { JsonObject } from "../kit/json.ts";
import { allowedParams, type Asker } from "./asker.ts";
import type { EventHub } from "./event_hub.ts";
import { EventSubscription } from "./event_subscription.ts";
import { LogSubscription } from "./log_subscription.ts";
import type { Outbox } from "./outbox.ts";
import { Refusal } from "./refusal.ts";

/** Where a subscription belongs. */
export interface SubscribeOptions {
  readonly number: number;
  /** Of the frame that subscribes. */
  readonly asker: Asker;
  /** Of nobody: what is read for a subscription is no answer that could tell what is new. */
  readonly reader: Asker;
  readonly hub: EventHub;
  readonly outbox: Outbox;
  /** Aborts with the subscription. */
  readonly signal: AbortSignal;
  onEnd(): void;
}

/** A subscription that has not begun: the client must know its number first. */
export interface Prepared {
  /** From where to go on if nothing is pushed any more; null = from the same parameters. */
  readonly cursor: string | null;
  run(): Promise<void>;
}

/**
 * Prepares a subscription.
 *
 * @param params `to` is what is wanted, the rest belongs to that. `session` stands for a scope.
 * @throws {Refusal | TaskmuxError} Why there can be none.
 */
export async function prepareSubscription(
  { to, session, ...params }: JsonObject,
  options: SubscribeOptions,
): Promise<Prepared> {
  const scoped = typeof session === "string"
    ? { ...params, scope: { session } }
    : params;
  if (to === "events") return await prepareEvents(scoped, options);
  if (to === "logs") return await prepareLogs(scoped, options);
  throw new TaskmuxError(
    "E500",
    `Cannot subscribe to ${JSON.stringify(to ?? null)}`,
    { hint: 'params.to is "events" or "logs"' },
  );
}

async function prepareEvents(
  given: JsonObject,
  options: SubscribeOptions,
): Promise<Prepared> {
  const { asker } = options;
  const params = allowedParams(asker.access, "event.follow", given);
  // The same parameters, so that what is wrong with them is told before there is a subscription.
  const question = params as ParamsInput<"event.list">;
  const { cursor: now, shared = null } = await asker.ask("event.list", {
    ...question,
    limit: 1,
  });
  const { scope, tasks = [], types = [], level = null } = question;
  const session = scope === undefined ? null : await sessionOf(asker, scope);
  const selection: EventSelection = {
    ...session === null ? {} : { session, shared },
    tasks,
    types: selectedTypes(types, level as Severity | null),
  };
  // A time without a cursor: from the first event of that time on.
  const isPast = typeof question.since === "string";
  const cursor = question.cursor ?? (isPast ? "0" : now);
  const subscription = new EventSubscription({
    ...options,
    asker: options.reader,
    selection,
    question: {
      ...question,
      ...session === null ? {} : { scope: { session } },
    },
    cursor,
  });
  return { cursor, run: () => subscription.run() };
}

/** The project that is meant; one that there is not is refused, for nothing would ever come. */
async function sessionOf(
  asker: Asker,
  { session, config }: NonNullable<ParamsInput<"event.list">["scope"]>,
): Promise<string> {
  const { projects } = await asker.ask("project.list", {});
  const found = projects.find((row) =>
    session === undefined ? row.config_path === config : row.session === session
  );
  if (found !== undefined) return found.session;
  throw unknownSession(
    session ?? config ?? "",
    projects.map((row) => row.session),
    "list_projects tells the sessions that there are",
  );
}

async function prepareLogs(
  given: JsonObject,
  options: SubscribeOptions,
): Promise<Prepared> {
  const { asker, signal } = options;
  const allowed = allowedParams(asker.access, "log.feed", given);
  if (allowed["scope"] === undefined) {
    throw new Refusal(
      "missing_session",
      "Cannot tell whose logs are meant: params.session is missing",
      "list_projects tells the sessions that there are",
    );
  }
  const items = asker.stream("log.feed", allowed, signal)[
    Symbol.asyncIterator
  ]();
  // What is wrong with the question shows with the first item.
  const first = await items.next();
  const subscription = new LogSubscription({ ...options, items });
  const { lines = [], cursor = null } = first.value ?? {};
  // Behind lines that are still to be sent it would lead past them.
  const isEmpty = Array.isArray(lines) && lines.length === 0;
  const place = isEmpty && cursor !== null ? cursor : allowed["cursor"];
  return {
    cursor: typeof place === "string" ? place : null,
    run: () => subscription.run(first),
  };
}
