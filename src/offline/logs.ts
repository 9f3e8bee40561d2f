/**
 * Logs from their files. Also with a daemon: a long answer need not pass through it, and following goes on whatever
 * becomes of it.
 *
 * @module
 */

import type { ParamsInput, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { LogBlock } from "../logs/log_block.ts";
import { followLogs } from "../logs/log_follow.ts";
import {
  type LogQuery,
  type LogRecord,
  type LogSource,
  recordsOfBlock,
} from "../logs/log_query.ts";
import { cursorOf } from "../logs/log_reader.ts";
import { type StreamOptions, streamRecords } from "../logs/log_stream.ts";
import { timeOf } from "./events.ts";
import {
  type Disk,
  logPath,
  openProjectFiles,
  requireTask,
} from "./project_files.ts";

/** Shortest time between two looks at which ad-hoc tasks there are. */
const DATABASE_PAUSE_MS = 2_000;

/** A question to the logs of the project in a file. */
export type LogParams =
  & Required<
    Pick<
      ParamsInput<"log.read">,
      "tasks" | "lines" | "grep" | "context" | "since" | "until"
    >
  >
  & Pick<ParamsInput<"log.read">, "level" | "fields">
  & {
    readonly config: string;
    readonly cursor?: string | null;
    readonly signal?: AbortSignal;
  };

/**
 * The lines of some tasks, or of all, merged by time, piece by piece and without a limit. Ends with what follows the lines
 * in an answer.
 *
 * @throws {TaskmuxError} E200 for an unknown task, E500 for a pattern that is none; what is wrong with the project's file.
 */
export async function* streamLogFiles(
  disk: Disk,
  params: LogParams,
  options: StreamOptions,
): AsyncGenerator<LogPiece, AnswerEnd, void> {
  // Whoever has enough goes away in the middle.
  await using stream = streamRecords(await queryOf(disk, params), options);
  while (true) {
    const { value, done } = await stream.next();
    if (done) {
      const { dropped, hasMore, resume } = value;
      return { cursor: cursorOf(resume), dropped, has_more: hasMore };
    }
    yield value.block ?? value.records;
  }
}

/** Lines of an answer, as records, or those of one log as a block if the options allow it. */
export type LogPiece = readonly LogRecord[] | LogBlock;

/** Whether a piece is one of records. */
export function isRecords(piece: LogPiece): piece is readonly LogRecord[] {
  return Array.isArray(piece);
}

/** The lines of a piece one by one. */
export function recordsOf(piece: LogPiece): readonly LogRecord[] {
  return isRecords(piece) ? piece : recordsOfBlock(piece);
}

/** What an answer has beside its lines. */
export type AnswerEnd = Pick<
  Result<"log.read">,
  "cursor" | "dropped" | "has_more"
>;

/**
 * The last lines, then new ones as they come, until the signal aborts. Tasks that are added to the project, and new log
 * files of old ones, are followed, too. Errors as {@linkcode streamLogFiles}.
 */
export async function* followLogFiles(
  disk: Disk,
  params: LogParams,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, void> {
  const currentSources = sourceTracker(disk, params);
  yield* followLogs({ ...await queryOf(disk, params), currentSources }, signal);
}

/** A line in the shape of the daemon's answer: no colours, whole for one named task, a record for several or all. */
export function lineOf(
  { ts, task, text, raw, styled }: LogRecord,
  isOnlyTask: boolean,
): Result<"log.read">["lines"][number] {
  return isOnlyTask
    ? raw.slice(0, raw.length - styled.length) + text
    : { ts, task, text };
}

/** Tells the logs to follow when the project's file or the list of ad-hoc tasks has changed; null otherwise. */
function sourceTracker(
  disk: Disk,
  params: LogParams,
): () => Promise<readonly LogSource[] | null> {
  const { database } = disk.paths;
  let seenConfig: string | null = null;
  let seenDatabase: string | null = null;
  let askedAt = -Infinity;
  return async () => {
    const config = lookAt(params.config);
    const state = lookAt(database, `${database}-wal`);
    const passedMs = systemClock.monotonic() - askedAt;
    // Events change the database all the time, ad-hoc tasks seldom.
    const isDue = config !== seenConfig ||
      (state !== seenDatabase && passedMs >= DATABASE_PAUSE_MS);
    if (!isDue) return null;
    askedAt = systemClock.monotonic();
    try {
      const sources = await sourcesNow(disk, params);
      seenConfig = config;
      seenDatabase = state;
      return sources;
    } catch (error) {
      // Being written, or broken: until it is whole again everything is as it was.
      if (error instanceof Deno.errors.NotFound) return null;
      if (!(error instanceof TaskmuxError)) throw error;
      seenConfig = config;
      return null;
    }
  };
}

/** What tells one state of some files from another. */
function lookAt(...paths: readonly string[]): string {
  return paths.map((path) => {
    try {
      const { ino, size, mtime } = Deno.statSync(path);
      return `${ino} ${size} ${mtime?.getTime() ?? 0}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }).join();
}

/** As the project is now; a named task that is no more is left out. */
async function sourcesNow(
  disk: Disk,
  params: LogParams,
): Promise<LogSource[]> {
  using project = await openProjectFiles(disk, params.config, {
    tolerant: true,
  });
  const { tasks } = project;
  const named = new Set(params.tasks);
  return [...tasks.values()]
    .filter(({ name }) => named.size === 0 || named.has(name))
    .map((spec) => ({
      task: spec.name,
      path: logPath(disk.paths, project, spec),
    }));
}

/** The question as the reader takes it. Errors as {@linkcode readLogFiles}. */
export async function queryOf(
  disk: Disk,
  params: LogParams,
): Promise<LogQuery> {
  using project = await openProjectFiles(disk, params.config, {
    tolerant: true,
  });
  const { tasks } = project;
  const { lines, grep, level, fields, context, since, until } = params;
  const named = new Set(params.tasks);
  const specs = named.size === 0
    ? [...tasks.values()]
    : [...named].map((task) => requireTask(tasks, task));
  return {
    sources: specs.map((spec) => ({
      task: spec.name,
      path: logPath(disk.paths, project, spec),
    })),
    lines: lines ?? null,
    grep: grep ?? null,
    level: level ?? null,
    fields: fields ?? [],
    context: context ?? 0,
    sinceMs: typeof since === "string" ? timeOf(since) : null,
    untilMs: typeof until === "string" ? timeOf(until) : null,
    cursor: params.cursor ?? null,
    ...params.signal === undefined ? {} : { signal: params.signal },
  };
}
