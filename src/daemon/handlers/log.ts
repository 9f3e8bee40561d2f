/**
 * Handlers of the operations on logs.
 *
 * @module
 */

import {
  budgetAnswer,
  checkBudget,
  readIntoBudget,
} from "../../logs/budgeted_answer.ts";
import { defaultLines } from "../../domain/default_lines.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { cleanLogs } from "../../logs/log_files.ts";
import { followLogs, followWithCursors } from "../../logs/log_follow.ts";
import { readLogs } from "../../logs/log_reader.ts";
import { plainText } from "../../logs/plain_text.ts";
import { logTarget } from "../../supervisor/launch_run.ts";
import type { LogLevel } from "../../domain/log_levels.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { Params, Result } from "../../contract/mod.ts";
import { Semaphore } from "../../kit/semaphore.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";
import { logSecrets } from "../log_secrets.ts";
import { timeOf } from "./event.ts";
import { keyOf } from "./log_cursor.ts";

/** Answers that are put together at once: each holds up to a hundred thousand lines. */
const READS_AT_ONCE = 4;

/** Characters of lines in one piece, beyond which it is given out. */
const PIECE_LENGTH = 64 * 1024;

/** See the module. */
export function logHandlers(
  services: Services,
): Pick<Handlers, "log.read" | "log.follow" | "log.feed" | "log.clean"> {
  const reads = new Semaphore(READS_AT_ONCE);
  return {
    "log.read": (params, context) =>
      reads.run(context.signal, () => read(services, params, context)),
    "log.follow": async function* (params, { signal }) {
      await using looked = await services.projects.look(params.scope);
      const query = {
        ...queryOf(services, looked.supervisor, params),
        cursor: null,
        currentSources: () =>
          Promise.resolve(currentSources(looked.supervisor, params.tasks)),
      };
      for await (const record of followLogs(query, signal)) {
        const { ts, task, text, dropped } = record;
        yield { ts, task, text, ...(dropped ? { dropped } : {}) };
      }
    },
    "log.feed": (params, { signal }) => feed(services, params, signal),
    "log.clean": async (params) => {
      await using looked = await services.projects.look(params.scope);
      const { supervisor } = looked;
      // What is shared is not this worktree's to empty, unless it is named.
      const tasks = params.tasks.length > 0
        ? params.tasks
        : supervisor.ownRunners.map(({ name }) => name);
      const sources = tasks.length === 0 ? [] : sourcesOf(supervisor, tasks);
      const deleted = await cleanLogs(sources.map((source) => source.path));
      return { ok: true, task: onlyOf(params.tasks), deleted };
    },
  };
}

async function* feed(
  services: Services,
  params: Params<"log.feed">,
  signal: AbortSignal,
): AsyncGenerator<Result<"log.feed">, void, void> {
  await using looked = await services.projects.look(params.scope);
  const query = {
    ...queryOf(services, looked.supervisor, params),
    cursor: params.cursor,
    currentSources: () =>
      Promise.resolve(currentSources(looked.supervisor, params.tasks)),
  };
  for await (const batch of followWithCursors(query, signal)) {
    let { dropped } = batch;
    let lines: Result<"log.feed">["lines"] = [];
    let length = 0;
    for (const { ts, task, text } of batch.records) {
      lines.push({ ts, task, text });
      length += text.length;
      if (length < PIECE_LENGTH) continue;
      yield { lines, dropped, cursor: null };
      [lines, length, dropped] = [[], 0, 0];
    }
    yield { lines, dropped, cursor: batch.cursor };
  }
}

async function read(
  services: Services,
  params: Params<"log.read">,
  context: CallContext,
): Promise<Result<"log.read">> {
  await using looked = await services.projects.look(params.scope);
  const { projectId } = looked.supervisor;
  const cursor = placeOf(services, projectId, params, context);
  const wanted = { ...params, lines: wantedLines(params, cursor) };
  const query = {
    ...queryOf(services, looked.supervisor, wanted),
    cursor,
    signal: context.signal,
  };
  const task = onlyOf(params.tasks);
  if (params.max_bytes !== null) {
    checkBudget(params.max_bytes);
    const page = await readIntoBudget(query, {
      maxBytes: params.max_bytes,
      secrets: await logSecrets(services, params.scope, context),
    });
    return budgetAnswer(page, task, { maxBytes: params.max_bytes });
  }
  const page = await readLogs(query);
  const lines = task === null
    ? page.records.map(({ ts, task, text }) => ({ ts, task, text }))
    : page.records.map(({ raw }) => plainText(raw));
  return {
    ok: true,
    ...(task === null ? {} : { task }),
    lines,
    cursor: page.cursor,
    dropped: page.dropped,
    has_more: page.hasMore,
  };
}

function wantedLines(
  { lines, grep, level, fields, since, max_bytes }: Params<"log.read">,
  cursor: string | null,
): number | null {
  if (lines !== undefined) return lines;
  const isSelective = grep !== null || level !== null || fields.length > 0 ||
    since !== null || cursor !== null;
  return defaultLines({ hasBudget: max_bytes !== null, isSelective });
}

/** Where reading begins: after the cursor, after what was confirmed under its name, or, with null, as `lines` says. */
function placeOf(
  { store }: Services,
  projectId: string,
  { cursor, cursor_name: name }: Params<"log.read">,
  context: CallContext,
): string | null {
  if (name === null) return cursor;
  if (cursor === null) {
    return store.cursors.get(keyOf(projectId, name, context));
  }
  throw new TaskmuxError(
    "E500",
    "Cannot read logs: cursor and cursor_name are both given",
    { hint: "Give one of them" },
  );
}

/** The task, if exactly one was named. */
function onlyOf(tasks: readonly string[]): string | null {
  return tasks.length === 1 ? tasks[0]! : null;
}

interface QueryParams {
  readonly tasks: readonly string[];
  readonly lines: number | null;
  readonly grep: string | null;
  readonly level: LogLevel | null;
  readonly fields: readonly string[];
  readonly context: number;
  readonly since: string | null;
  readonly until: string | null;
}

function queryOf(
  services: Services,
  project: ProjectSupervisor,
  params: QueryParams,
) {
  const now = services.host.clock.now();
  return {
    sources: sourcesOf(project, params.tasks),
    lines: params.lines,
    grep: params.grep,
    level: params.level,
    fields: params.fields,
    context: params.context,
    sinceMs: params.since === null ? null : timeOf(params.since, now),
    untilMs: params.until === null ? null : timeOf(params.until, now),
  };
}

/** As {@linkcode sourcesOf}, without the tasks that are no more. */
function currentSources(
  project: ProjectSupervisor,
  tasks: readonly string[],
): ReturnType<typeof sourcesOf> {
  const known = project.runners.map(({ name }) => name)
    .filter((name) => tasks.length === 0 || tasks.includes(name));
  return known.length === 0 ? [] : sourcesOf(project, known);
}

function sourcesOf(
  project: ProjectSupervisor,
  tasks: readonly string[],
): { readonly task: string; readonly path: string }[] {
  const runners = tasks.length === 0
    ? project.runners
    : [...new Set(tasks)].map((task) => project.runner(task));
  return runners.map((runner) => ({
    task: runner.name,
    path: logTarget(
      runner.spec,
      project.host.logFile(
        project.homeOf(runner.name).projectId,
        runner.name,
      ),
    ).path,
  }));
}
