/**
 * The logs of public names, as they are on disk: what the programs of providers print, and who asked for what. They stay
 * when a tunnel is closed.
 *
 * @module
 */

import {
  logFile,
  logFolder,
  requestLogFile,
  tunnelFolder,
} from "../config/paths.ts";
import { TaskmuxError } from "../domain/error.ts";
import { TUNNEL_BACKENDS } from "../domain/tunnel.ts";
import { closest } from "../kit/did_you_mean.ts";
import { followLogs } from "../logs/log_follow.ts";
import type { LogQuery, LogRecord, LogSource } from "../logs/log_query.ts";
import { streamRecords } from "../logs/log_stream.ts";
import { type NotedTunnel, readNotedTunnels } from "../store/tunnel_note.ts";
import { timeOf } from "./events.ts";
import {
  type Disk,
  homeOf,
  openProjectFiles,
  type ProjectFiles,
} from "./project_files.ts";

/** Name of the program that carries all tasks of a project. */
const SHARED_PROGRAM = "cloudflared";

/** How the programs of single tasks are called. */
const OWN_PROGRAM = "tunnel-";

/** What is asked. */
export interface TunnelLogQuestion {
  /** File of the project. */
  readonly config: string;
  /** A task, a backend, or a program; null = all. */
  readonly name: string | null;
  /** Whether the requests are meant, not what programs print. */
  readonly requests: boolean;
  /** The last so many. */
  readonly lines: number;
  readonly grep: string | null;
  /** ISO time; null = no bound. */
  readonly since: string | null;
}

/** What the logs hold. */
export interface TunnelLogs {
  /** Absolute paths of the current files. */
  readonly files: readonly string[];
  /** Merged by time. */
  readonly records: readonly LogRecord[];
}

/**
 * The last lines.
 *
 * @throws {TaskmuxError} E200 for a name that is none; E500 for a pattern that is none; what is wrong with the project's file.
 */
export async function readTunnelLogs(
  disk: Disk,
  question: TunnelLogQuestion,
): Promise<TunnelLogs> {
  const sources = await sourcesOf(disk, question);
  const records: LogRecord[] = [];
  const query = queryOf(question, sources);
  for await (const batch of streamRecords(query)) {
    records.push(...batch.records);
  }
  return { files: sources.map(({ path }) => path), records };
}

/** The last lines, then new ones as they come, until the signal aborts; also of tunnels that are opened meanwhile. */
export async function* followTunnelLogs(
  disk: Disk,
  question: TunnelLogQuestion,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void, void> {
  const sources = await sourcesOf(disk, question);
  let known = JSON.stringify(sources);
  const currentSources = async (): Promise<readonly LogSource[] | null> => {
    const now = await sourcesOf(disk, question);
    const isSame = JSON.stringify(now) === known;
    known = JSON.stringify(now);
    return isSame ? null : now;
  };
  yield* followLogs({ ...queryOf(question, sources), currentSources }, signal);
}

function queryOf(
  { lines, grep, since }: TunnelLogQuestion,
  sources: readonly LogSource[],
): LogQuery {
  return {
    sources,
    lines,
    grep,
    context: 0,
    sinceMs: since === null ? null : timeOf(since),
    untilMs: null,
    cursor: null,
  };
}

async function sourcesOf(
  disk: Disk,
  { config, name, requests }: TunnelLogQuestion,
): Promise<LogSource[]> {
  using asked = await openProjectFiles(disk, config, { tolerant: true });
  // What worktrees share is public from its home.
  const project = name === null ? asked : homeOf(asked, name);
  const { identity: { projectId }, store } = project;
  const noted = store === null ? [] : readNotedTunnels(store.meta, projectId);
  const facts = { disk, project, noted };
  if (name !== null) requireName(facts, name);
  if (!requests) {
    return (await programsOf(facts)).filter((program) =>
      isMeant(facts, program, name)
    ).map((task) => ({ task, path: logFile(disk.paths, projectId, task) }));
  }
  const tasks = await namesIn(
    tunnelFolder(disk.paths, projectId),
    /^(.+)\.requests\.log(?:\.\d+)?$/,
  );
  return tasks.filter((task) => isMeant(facts, OWN_PROGRAM + task, name))
    .map((task) => ({
      task,
      path: requestLogFile(disk.paths, projectId, task),
    }));
}

interface Facts {
  readonly disk: Disk;
  readonly project: ProjectFiles;
  readonly noted: readonly NotedTunnel[];
}

/** Names of programs that run, or have left a log. */
async function programsOf({ disk, project, noted }: Facts): Promise<string[]> {
  const { identity: { projectId }, spec } = project;
  const logs = await namesIn(
    logFolder(disk.paths, projectId),
    /^(tunnel-.+|cloudflared)\.log(?:\.\d+)?$/,
  );
  const running = noted.flatMap(({ process }) => process ?? []);
  return [...new Set([...running, ...logs])]
    .filter((name) => !spec.tasks.has(name)).sort();
}

/** Whether a program belongs to what was named. */
function isMeant(
  facts: Facts,
  program: string,
  name: string | null,
): boolean {
  if (name === null || name === program) return true;
  const isShared = program === SHARED_PROGRAM;
  if (facts.project.tasks.has(name) || !isBackend(name)) {
    return program === OWN_PROGRAM + name ||
      isShared && backendOf(facts, name) === "cloudflare";
  }
  if (isShared || name === "cloudflare") {
    const task = program.slice(OWN_PROGRAM.length);
    return name === "cloudflare" &&
      (isShared || backendOf(facts, task) === "cloudflare");
  }
  // Whose tunnel it was is not known for ever.
  const backend = backendOf(facts, program.slice(OWN_PROGRAM.length));
  return backend === null || backend === name;
}

function backendOf({ project, noted }: Facts, task: string): string | null {
  return noted.find((each) => each.task === task)?.backend ??
    project.spec.tasks.get(task)?.tunnel ?? null;
}

function isBackend(name: string): boolean {
  return TUNNEL_BACKENDS.some((backend) => backend === name);
}

/** @throws {TaskmuxError} E200 for what is neither a task nor a backend nor a program. */
function requireName({ project }: Facts, name: string): void {
  const { tasks } = project;
  const isProgram = name === SHARED_PROGRAM || name.startsWith(OWN_PROGRAM);
  if (tasks.has(name) || isBackend(name) || isProgram) return;
  const known = [...tasks.keys(), ...TUNNEL_BACKENDS];
  const near = closest(name, known);
  throw new TaskmuxError("E200", `Task '${name}' not found in config`, {
    hint: near === null ? "taskmux tunnel status" : `did you mean "${near}"?`,
    details: { task: name, known },
  });
}

/** What the pattern finds in the names of a folder's files, each once, sorted. */
async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const found = new Set<string>();
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const [, part] = pattern.exec(name) ?? [];
      if (part !== undefined) found.add(part);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return [...found].sort();
}
