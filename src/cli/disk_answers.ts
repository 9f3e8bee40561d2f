/**
 * What can be answered without a daemon, by operation. Without secrets.
 *
 * @module
 */

import type { CallName, Contract, Params, Result } from "../contract/mod.ts";
import type { Scope } from "../contract/operation.ts";
import { MAX_EVENTS_PER_ANSWER } from "../contract/wire.ts";
import { defaultLines } from "../domain/default_lines.ts";
import { TaskmuxError } from "../domain/error.ts";
import { unknownSession } from "../domain/unknown_session.ts";
import type { JsonObject } from "../kit/json.ts";
import {
  budgetedJson,
  readLogFilesIntoBudget,
} from "../offline/budgeted_logs.ts";
import { readProjects } from "../offline/daemon.ts";
import { readErrors } from "../offline/errors.ts";
import { configsOf, readEvents } from "../offline/events.ts";
import {
  followLogFiles,
  lineOf,
  recordsOf,
  streamLogFiles,
} from "../offline/logs.ts";
import { openRegistry } from "../offline/registry.ts";
import { readHealth, readInspect, readStatus } from "../offline/status.ts";
import { readWhy } from "../offline/why.ts";
import type { Context } from "./context.ts";
import {
  recordRedactor,
  safeAnswer,
  safeAnswerOfAll,
  safeLines,
} from "./redaction.ts";

/** Most lines of an answer; it is held in memory. */
const MAX_LINES = 2_000;

/** What is asked. */
export interface DiskQuestion {
  readonly contract: Contract;
  readonly name: CallName;
  /** As the caller wrote them. */
  readonly params: unknown;
  readonly signal: AbortSignal;
}

/**
 * The answer from disk.
 *
 * @throws {TaskmuxError} E600 for what only a daemon knows, E500 for wrong parameters, E303 for an unknown project; what
 * is wrong with its file.
 */
export async function answerFromDisk(
  context: Context,
  { contract, name, params, signal }: DiskQuestion,
): Promise<JsonObject> {
  const answer = ANSWERS[name];
  if (answer === undefined) throw noDaemon();
  const parsed = contract[name].params.safeParse(params);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TaskmuxError(
      "E500",
      `Cannot do ${name}: ${issue?.path.join(".")}: ${issue?.message}`,
    );
  }
  const work = answer as Answer<CallName>;
  return await work(context, parsed.data, signal) as unknown as JsonObject;
}

/**
 * Lines of logs as they come: tasks may run on without a daemon.
 *
 * @throws {TaskmuxError} E600 for what only a daemon tells; as {@linkcode answerFromDisk}.
 */
export async function* followFromDisk(
  context: Context,
  { name, params, signal }: {
    readonly name: string;
    readonly params: unknown;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<JsonObject, void, void> {
  if (name !== "log.follow") throw noDaemon();
  const { scope, tasks = [], lines = 10 } = params as {
    readonly scope: Scope;
    readonly tasks?: string[];
    readonly lines?: number | null;
  };
  const config = await configOf(context, scope);
  const query = { config, tasks, lines, ...UNFILTERED };
  const reading = followLogFiles(context, query, signal);
  for await (const record of safeLines(context, config, reading)) {
    yield { ts: record.ts, task: record.task, text: record.text };
  }
}

const UNFILTERED = { grep: null, context: 0, since: null, until: null };

type Answer<N extends CallName> = (
  context: Context,
  params: Params<N>,
  signal: AbortSignal,
) => Promise<Result<N>>;

const ANSWERS: { readonly [N in CallName]?: Answer<N> } = {
  "project.list": ({ paths }) => readProjects(paths),
  "task.status": (context, { scope }) =>
    aboutProject(context, scope, (config) => readStatus(context, config)),
  "task.inspect": (context, { scope, task }) =>
    aboutProject(
      context,
      scope,
      (config) => readInspect(context, config, task),
    ),
  "task.health": (context, { scope, tasks }) =>
    aboutProject(
      context,
      scope,
      (config) => readHealth(context, config, tasks),
    ),
  "task.why": (context, { scope, task }) =>
    aboutProject(context, scope, (config) => readWhy(context, config, task)),
  "event.list": async (context, params) => {
    const answer = await readEvents(context, {
      ...params,
      limit: Math.min(params.limit || Infinity, MAX_EVENTS_PER_ANSWER),
    });
    const configs = await configsOf(context, params.scope);
    return await safeAnswerOfAll(context, configs, answer);
  },
  "log.read": readLog,
  "log.errors": async (context, params, signal) => {
    const config = await configOf(context, params.scope);
    const secrets = await recordRedactor(context, config);
    const question = { ...params, config, secrets, signal };
    const answer = await readErrors(context, question);
    return {
      ...answer,
      groups: answer.groups.map((group) => ({
        ...group,
        sample: [...group.sample],
      })),
    };
  },
};

async function aboutProject<T>(
  context: Context,
  scope: Scope,
  read: (config: string) => Promise<T>,
): Promise<T> {
  const config = await configOf(context, scope);
  return await safeAnswer(context, config, await read(config));
}

async function readLog(
  context: Context,
  params: Params<"log.read">,
  signal: AbortSignal,
): Promise<Result<"log.read">> {
  const { scope, tasks, max_bytes: maxBytes, cursor_name: cursorName } = params;
  if (cursorName !== null) throw noDaemon();
  const config = await configOf(context, scope);
  const secrets = await recordRedactor(context, config);
  const query = { ...params, config, lines: linesOf(params), signal };
  if (maxBytes !== null) {
    const page = await readLogFilesIntoBudget(context, query, {
      maxBytes,
      secrets,
    });
    return budgetedJson(page, { tasks, maxBytes }) as Result<"log.read">;
  }
  const isOnlyTask = tasks.length === 1;
  const lines: Result<"log.read">["lines"] = [];
  const bounded = { ...query, lines: Math.min(query.lines, MAX_LINES) };
  await using stream = streamLogFiles(context, bounded, {});
  while (true) {
    const { value, done } = await stream.next();
    if (done) {
      const task = isOnlyTask ? { task: tasks[0]! } : {};
      return { ok: true, ...task, lines, ...value };
    }
    const records = recordsOf(value);
    const safe = secrets === null ? records : secrets.lines(records);
    for (const record of safe) lines.push(lineOf(record, isOnlyTask));
  }
}

/** As the daemon has it, but never more than fit into memory. */
function linesOf(
  { lines, grep, level, fields, since, cursor, max_bytes }: Params<"log.read">,
): number {
  if (lines === null) return MAX_LINES;
  if (lines !== undefined) return lines;
  return defaultLines({
    hasBudget: max_bytes !== null,
    isSelective: grep !== null || level !== null || fields.length > 0 ||
      since !== null || cursor !== null,
  }) ?? MAX_LINES;
}

async function configOf({ paths }: Context, scope: Scope): Promise<string> {
  if (scope.config !== undefined) return scope.config;
  const entries = await openRegistry(paths, []).list();
  const entry = entries.find(({ id }) => id === scope.session);
  if (entry !== undefined) return entry.configPath;
  throw unknownSession(scope.session ?? "", entries.map(({ id }) => id));
}

function noDaemon(): TaskmuxError {
  return new TaskmuxError(
    "E600",
    "Cannot answer that: the daemon is not running",
    { hint: "taskmux daemon start" },
  );
}
