/**
 * What taskmux offers to read: the state of tasks, projects, what happened, and logs.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { EventRecord } from "../domain/event.ts";
import { TaskmuxError } from "../domain/error.ts";
import { isSelected } from "../domain/event_selection.ts";
import type { Json } from "../kit/json.ts";
import { systemClock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";
import { ask, type Asking } from "../transports/ask.ts";
import type { McpResources, ResourceContent, Watcher } from "./catalogue.ts";
import type { Connection } from "./connection.ts";
import type { EventFeed, FeedItem } from "./event_feed.ts";
import { LogWatches } from "./log_watches.ts";
import { tailText } from "./log_text.ts";
import { shownJson, shownText } from "./shown_text.ts";
import {
  EVENTS_URI,
  LOGS_TEMPLATE,
  logsUri,
  parseResourceUri,
  PROJECTS_URI,
  type ResourceName,
  STATUS_URI,
} from "./resource_uri.ts";
import { ErrorCode, McpError, type Resource } from "./sdk.ts";

/** Logs in the list, of the projects that run first. */
const MAX_LISTED_LOGS = 100;

/** Projects whose tasks are told. */
const MAX_PROJECTS = 50;

/** Events that are told. */
const EVENT_COUNT = 100;

/** Lines of a log that are told. */
const LINE_COUNT = 200;

/** How long it may take until it is known what has happened so far. */
const FEED_TIMEOUT_MS = 10_000;

/** Events after which the list of resources may be another one. */
const LIST_EVENTS: readonly string[] = [
  "project_registered",
  "project_unregistered",
  "config_reloaded",
  "config_missing",
  "worktree_removed",
];

/** The resources of taskmux. Those of a pinned connection are about its project alone. */
export function taskmuxResources(feed: EventFeed): McpResources {
  const watches = new LogWatches();
  const listed = new WeakMap<Connection, ReadonlySet<string>>();
  return {
    templates: [{
      uriTemplate: LOGS_TEMPLATE,
      name: "logs",
      description: `Last ${LINE_COUNT} lines of a task`,
      mimeType: "text/plain",
    }],
    async list(connection) {
      const logs = await listLogs(connection);
      listed.set(connection, new Set(logs.map(({ uri }) => uri)));
      return [...GENERAL, ...logs];
    },
    async read(uri, connection, signal) {
      const name = parseResourceUri(uri);
      if (name === null) return null;
      checkPin(name, connection);
      const content = await read(name, { ...connection, signal }, connection);
      return content === null ? null : [{ uri, ...content }];
    },
    async watch(uri, connection, watcher) {
      const name = parseResourceUri(uri);
      if (name === null) return false;
      checkPin(name, connection);
      if (name.kind === "logs") {
        return await watches.add(name, watcher, connection);
      }
      watchEvents(feed, connection, watcher);
      await requireFeed(feed, watcher);
      return true;
    },
    watchList(connection, { signal, onChange }) {
      const onItem = (item: FeedItem): void => {
        if (changesList(item, listed.get(connection))) onChange();
      };
      feed.listen({ signal, onItem: pinned(connection, onItem) });
    },
  };
}

const GENERAL: readonly Resource[] = [
  {
    uri: STATUS_URI,
    name: "status",
    description: "State of every task",
    mimeType: "application/json",
  },
  {
    uri: PROJECTS_URI,
    name: "projects",
    description: "Registered projects",
    mimeType: "application/json",
  },
  {
    uri: EVENTS_URI,
    name: "events",
    description: `Last ${EVENT_COUNT} events`,
    mimeType: "application/json",
  },
];

/** @throws {McpError} If it is about another project than the connection. */
function checkPin(name: ResourceName, { access: { pin } }: Connection): void {
  if (name.kind !== "logs" || pin === null || name.session === pin) return;
  throw new McpError(
    ErrorCode.InvalidParams,
    `Cannot use session "${name.session}": this connection is for "${pin}"`,
    {
      error: "pin_violation",
      pinned_session: pin,
      requested_session: name.session,
    },
  );
}

type Content = Omit<ResourceContent, "uri"> & { readonly text: string };

async function read(
  name: ResourceName,
  asking: Asking,
  { access: { pin } }: Connection,
): Promise<Content | null> {
  switch (name.kind) {
    case "status":
      return json({ projects: await statusOf(asking, pin) });
    case "projects": {
      const { projects } = await ask(asking, "project.list", {});
      return json({
        projects: projects.filter(({ session }) =>
          pin === null || session === pin
        ),
      });
    }
    case "events": {
      const { events, cursor } = await ask(asking, "event.list", {
        ...pin === null ? {} : { scope: { session: pin } },
        limit: EVENT_COUNT,
      });
      return json({ events, cursor });
    }
    case "logs":
      return await readLog(name, asking);
  }
}

function json(value: unknown): Content {
  // Answers of operations, and what is made of them.
  const text = JSON.stringify(shownJson(value as Json));
  return { mimeType: "application/json", text };
}

/** Null if there is no such task. */
async function readLog(
  { session, task }: { readonly session: string; readonly task: string },
  asking: Asking,
): Promise<Content | null> {
  try {
    const { lines } = await ask(asking, "log.read", {
      scope: { session },
      tasks: [task],
      lines: LINE_COUNT,
    });
    const texts = lines.filter((line) => typeof line === "string");
    return { mimeType: "text/plain", text: tailText(texts.map(shownText)) };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof TaskmuxError &&
    (error.code === "E200" || error.code === "E303");
}

/** A task in few words. */
interface TaskBrief {
  readonly name: string;
  readonly state: string;
  readonly port?: number;
  readonly url?: string;
  readonly public_url?: string;
  readonly reason?: string;
}

interface ProjectBrief {
  readonly session: string;
  readonly tasks: readonly TaskBrief[];
  /** Why its tasks cannot be told. */
  readonly error?: string;
}

/** Projects with their tasks, those that run first. */
async function statusOf(
  asking: Asking,
  pin: string | null,
): Promise<ProjectBrief[]> {
  const sessions = pin === null ? await sessionsOf(asking) : [pin];
  const briefs: ProjectBrief[] = [];
  for (const session of sessions.slice(0, MAX_PROJECTS)) {
    try {
      const { tasks } = await ask(asking, "task.status", {
        scope: { session },
      });
      briefs.push({ session, tasks: tasks.map(briefOf) });
    } catch (error) {
      // It was forgotten meanwhile, or its file cannot be used; that is no reason to say nothing of the others.
      const isItsOwn = error instanceof TaskmuxError && error.code !== "E600";
      if (!isItsOwn) throw error;
      const { code, message } = error;
      briefs.push({ session, tasks: [], error: `${code}: ${message}` });
    }
  }
  return briefs;
}

async function sessionsOf(asking: Asking): Promise<string[]> {
  const { projects } = await ask(asking, "project.list", {});
  return projects
    .toSorted((a, b) => (b.running_count ?? 0) - (a.running_count ?? 0))
    .map(({ session }) => session);
}

function briefOf(
  { name, state, port, url, public_url, reason }: Result<
    "task.status"
  >["tasks"][number],
): TaskBrief {
  return {
    name,
    state,
    ...port === null ? {} : { port },
    ...url === null ? {} : { url },
    ...public_url === null ? {} : { public_url },
    ...reason === null ? {} : { reason },
  };
}

async function listLogs(connection: Connection): Promise<Resource[]> {
  const briefs = await statusOf(connection, connection.access.pin);
  return briefs.flatMap(({ session, tasks }) =>
    tasks.map(({ name }) => ({
      uri: logsUri(session, name),
      name: `${session}/${name}`,
      mimeType: "text/plain",
    }))
  ).slice(0, MAX_LISTED_LOGS);
}

function watchEvents(
  feed: EventFeed,
  connection: Connection,
  { signal, onChange }: Watcher,
): void {
  feed.listen({ signal, onItem: pinned(connection, onChange) });
}

/** @throws {McpError} If nobody tells what happens. */
async function requireFeed(
  feed: EventFeed,
  { signal }: Watcher,
): Promise<void> {
  const deadline = { clock: systemClock, ms: FEED_TIMEOUT_MS, signal };
  if (await settledWithin(feed.ready(signal), deadline)) return;
  throw new McpError(
    ErrorCode.InternalError,
    `Cannot subscribe: no events for ${FEED_TIMEOUT_MS / 1000} s`,
  );
}

/** Passes on what concerns the project of the connection. */
function pinned(
  { access: { pin } }: Connection,
  onItem: (item: FeedItem) => void,
): (item: FeedItem) => void {
  if (pin === null) return onItem;
  return (item) => {
    if ("gap" in item || isSelected(item, { session: pin })) onItem(item);
  };
}

/** Whether a saved file has the same tasks as before. */
function isSameList({ event, added, removed }: EventRecord): boolean {
  const isNone = (names: unknown): boolean =>
    Array.isArray(names) && names.length === 0;
  return event === "config_reloaded" && isNone(added) && isNone(removed);
}

/** @param listed What the client was told last; ad-hoc tasks come without an event of their own. */
function changesList(
  item: FeedItem,
  listed: ReadonlySet<string> | undefined,
): boolean {
  if ("gap" in item) return true;
  if (LIST_EVENTS.includes(item.event)) return !isSameList(item);
  const { event, session, task } = item;
  return event === "task_started" && session !== null && task !== undefined &&
    listed !== undefined && listed.size < MAX_LISTED_LOGS &&
    !listed.has(logsUri(session, task));
}
