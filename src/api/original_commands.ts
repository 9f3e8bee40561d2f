/**
 * The commands of the Python original, answered in its shapes.
 *
 * @module
 */

import type { ParamsInput } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { Json, JsonObject } from "../kit/json.ts";
import type { Asker } from "./asker.ts";
import {
  asJson,
  isoTime,
  projectOfAll,
  type ProjectRow,
  projectStatus,
  routesOf,
  taskList,
} from "./original_shapes.ts";
import {
  type Answer,
  numberIn,
  type ProjectQuestion,
  type Question,
  resultOf,
  textIn,
} from "./original_question.ts";
import { answerOfError, Refusal } from "./refusal.ts";
import { TASK_COMMANDS } from "./original_task_commands.ts";
import {
  GLOBAL_TUNNEL_COMMANDS,
  TUNNEL_COMMANDS,
} from "./original_tunnel_commands.ts";

const GLOBAL: Readonly<Record<string, Answer<Question>>> = {
  ping: async ({ asker }) => asJson(await asker.ask("daemon.ping", {})),
  sync_registry: async ({ asker }) => {
    const { count } = await asker.ask("project.resync", {});
    return { ok: true, count };
  },
  list_projects: async ({ asker }) =>
    asJson(await asker.ask("project.list", {})),
  status_all: async ({ asker }) => {
    const now = systemClock.now();
    const projects = await eachProject(asker, async (row) => {
      const status = await statusOf(asker, row);
      return projectOfAll(row, status, now);
    });
    const count = projects.length;
    return { ok: true, data: { projects, count, timestamp: isoTime(now) } };
  },
  proxy_routes: async ({ asker }) => {
    const { proxy } = await asker.ask("daemon.status", {});
    const routes = await eachProject(asker, async (row) => {
      const status = await statusOf(asker, row);
      return [row.session, status === null ? {} : routesOf(status)] as const;
    });
    return {
      ok: true,
      running: proxy["bound"] === true,
      routes: Object.fromEntries(routes),
    };
  },
  mcp_status: ({ asker }) => asker.call("mcp.status", {}),
  ...GLOBAL_TUNNEL_COMMANDS,
};

const OF_A_PROJECT: Readonly<Record<string, Answer<ProjectQuestion>>> = {
  status: async ({ asker, scope }) => {
    const status = await asker.ask("task.status", { scope });
    return { ok: true, data: projectStatus(status, systemClock.now()) };
  },
  list_tasks: async ({ asker, scope }) => {
    const status = await asker.ask("task.status", { scope });
    return { ok: true, data: taskList(status) };
  },
  start_all: ({ asker, scope }) =>
    resultOf(() => asker.ask("task.start", { scope, tasks: [] })),
  stop_all: ({ asker, scope }) =>
    resultOf(() => asker.ask("task.stop", { scope, tasks: [] })),
  restart_all: ({ asker, scope }) =>
    resultOf(() => asker.ask("task.restart", { scope, tasks: [] })),
  events,
  logs,
  logs_clean: async ({ asker, scope, params }) => {
    const task = textIn(params, "task");
    const tasks = task === null ? [] : [task];
    const { deleted } = await asker.ask("log.clean", { scope, tasks });
    return task === null
      ? { ok: true, action: "logs_cleaned", deleted }
      : { ok: true, task, deleted };
  },
  resync: async ({ asker, session }) => {
    const { added, dropped } = await asker.ask("project.resync", { session });
    return { ok: true, data: { ok: true, added, dropped } };
  },
  ...TASK_COMMANDS,
  ...TUNNEL_COMMANDS,
};

/** Every command of the original. */
export const ORIGINAL_COMMANDS: readonly string[] = [
  ...Object.keys(GLOBAL),
  ...Object.keys(OF_A_PROJECT),
];

/**
 * Answers a command of the original.
 *
 * @returns Null if it is none.
 * @throws {Refusal | TaskmuxError} Why it cannot be answered.
 */
export async function answerOriginal(
  command: string,
  question: Question,
): Promise<JsonObject | null> {
  if (Object.hasOwn(GLOBAL, command)) return await GLOBAL[command]!(question);
  if (Object.hasOwn(OF_A_PROJECT, command)) {
    const session = sessionOf(question);
    const scope = { session };
    const answer = OF_A_PROJECT[command]!;
    return {
      session,
      ...await refusingWith(
        { session },
        () => answer({ ...question, session, scope }),
      ),
    };
  }
  return null;
}

function sessionOf({ params, asker }: Question): string {
  const session = textIn(params, "session") ?? asker.access.pin;
  if (session !== null && session !== "") return session;
  throw new Refusal(
    "missing_session",
    "Cannot tell which project is meant: params.session is missing",
    "list_projects tells the sessions that there are",
  );
}

/** An answer, or an error as one, with the keys of the frame that it belongs to. */
async function refusingWith(
  keys: JsonObject,
  work: () => Promise<JsonObject>,
): Promise<JsonObject> {
  try {
    return await work();
  } catch (error) {
    return { ...keys, ...answerOfError(error) };
  }
}

/** Something for every registered project that the connection may see, in their order. */
async function eachProject<T>(
  asker: Asker,
  make: (row: ProjectRow) => Promise<T>,
): Promise<T[]> {
  const { pin } = asker.access;
  const { projects } = await asker.ask("project.list", {});
  const visible = projects.filter(({ session }) =>
    pin === null || session === pin
  );
  return await Promise.all(visible.map(make));
}

/** Null for a project that is not loaded. */
async function statusOf(asker: Asker, { session }: ProjectRow) {
  try {
    return await asker.ask("task.status", { scope: { session } });
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return null;
  }
}

/** Those of taskmux itself, which the original does not have, are left out. */
async function events(
  { asker, scope, session, params }: ProjectQuestion,
): Promise<JsonObject> {
  const task = textIn(params, "task");
  const limit = numberIn(params, "limit", 50);
  const answer = await asker.ask("event.list", {
    scope,
    tasks: task === null ? [] : [task],
    since: textIn(params, "since"),
    limit: limit === 0 ? 0 : limit * 2 + 20,
  });
  const own = answer.events.filter((event) => event.session === session);
  const events = limit === 0 ? own : own.slice(-limit);
  return { ok: true, events: events.map(asJson), cursor: answer.cursor };
}

async function logs(
  { asker, scope, params }: ProjectQuestion,
): Promise<JsonObject> {
  const task = textIn(params, "task");
  const query = {
    scope,
    lines: numberIn(params, "lines", 100),
    grep: textIn(params, "grep"),
    since: textIn(params, "since"),
  };
  if (task !== null) {
    return { ok: true, task, ...await linesOf(asker, { ...query, task }) };
  }
  const { tasks } = await asker.ask("task.status", { scope });
  const lines: [string, Json][] = [];
  for (const { name } of tasks) {
    const found = await linesOf(asker, { ...query, task: name });
    lines.push([name, found["lines"]!]);
  }
  return { ok: true, tasks: Object.fromEntries(lines) };
}

/** A task that there is not has said nothing. */
async function linesOf(
  asker: Asker,
  { task, ...query }:
    & Omit<ParamsInput<"log.read">, "tasks">
    & { readonly task: string },
): Promise<JsonObject> {
  try {
    const answer = await asker.ask("log.read", { ...query, tasks: [task] });
    const { lines, cursor, dropped, has_more } = answer;
    return asJson({ lines, cursor, dropped, has_more });
  } catch (error) {
    const isUnknown = error instanceof TaskmuxError && error.code === "E200";
    if (!isUnknown) throw error;
    return { lines: [] };
  }
}
