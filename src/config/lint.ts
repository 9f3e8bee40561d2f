/**
 * What is odd about a project although its file is right: missing folders and env files, commands that are not installed, health URLs
 * that cannot work. Looks at the machine, changes nothing, starts nothing, and never stops a project from loading.
 *
 * @module
 */

import type { ProjectSpec, TaskSpec } from "../domain/task_spec.ts";
import { resolvePath } from "../kit/path.ts";

/** One finding. */
export interface Issue {
  readonly severity: "error" | "warning";
  readonly code:
    | "cwd_missing"
    | "env_file_missing"
    | "command_not_found"
    | "health_url_invalid"
    | "health_url_not_local"
    | "dep_not_auto_started"
    | "on_request_without_host";
  readonly task: string;
  /** A sentence. */
  readonly message: string;
}

/** What the findings depend on beside the project. */
export interface LintOptions {
  /** The PATH that tasks will have; without it, commands are not looked for. */
  readonly searchPath?: string | undefined;
  /** Ends the search between two tasks. */
  readonly signal?: AbortSignal;
}

/** Characters that make a command more than a program and its arguments. */
const SHELL_SYNTAX_REGEXP = /[|&;<>()$`\\*?[\]{}~\n]/;

const ASSIGNMENT_REGEXP = /^[A-Za-z_][A-Za-z0-9_]*=/;

const BUILTINS: ReadonlySet<string> = new Set([
  ".",
  ":",
  "[",
  "cd",
  "command",
  "eval",
  "exec",
  "exit",
  "export",
  "set",
  "source",
  "test",
  "true",
  "false",
  "ulimit",
  "umask",
  "unset",
  "wait",
]);

const EXECUTE_BITS = 0o111;

/**
 * Checks a project against the machine. Findings come errors first, then by task and code. Costs some file look-ups per
 * task.
 *
 * @throws The signal's reason when it aborts.
 */
export async function lintProject(
  project: ProjectSpec,
  options: LintOptions = {},
): Promise<Issue[]> {
  const issues: Issue[] = [];
  const searched = new Map<string, Promise<boolean>>();
  for (const task of project.tasks.values()) {
    options.signal?.throwIfAborted();
    const add = (
      code: Issue["code"],
      message: string,
      severity: Issue["severity"] = "warning",
    ): number => issues.push({ severity, code, task: task.name, message });
    if (!await isFolder(task.cwd)) {
      add("cwd_missing", `Folder "${task.cwd}" does not exist`, "error");
    }
    for (const path of task.envFiles) {
      if ((await infoOf(path))?.isFile) continue;
      add("env_file_missing", `Env file "${path}" does not exist`, "error");
    }
    const program = programOf(task);
    const isSought = program !== null && (program.includes("/") ||
      options.searchPath !== undefined);
    if (isSought && !await isFound(program, task, { options, searched })) {
      add("command_not_found", `Command "${program}" is not found`);
    }
    checkUrl(task, add);
    for (const { task: name } of task.dependsOn) {
      const dependency = project.tasks.get(name);
      if (!task.autoStart || dependency?.autoStart !== false) continue;
      const is = dependency.startOnRequest ? '"on-request"' : "false";
      add(
        "dep_not_auto_started",
        `It starts by itself, but "${name}", on which it depends, has auto_start = ${is}`,
      );
    }
    if (task.startOnRequest && task.host === null) {
      add(
        "on_request_without_host",
        'It is to start with the first request (auto_start = "on-request"), but has no "host" to ask for',
      );
    }
  }
  return issues.sort(bySeverity);
}

function bySeverity(a: Issue, b: Issue): number {
  const key = ({ severity, task, code }: Issue): string =>
    `${severity}\0${task}\0${code}`;
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
}

/** The program a simple command runs, or null if only a shell could tell. */
function programOf(task: TaskSpec): string | null {
  if (task.shell !== null || SHELL_SYNTAX_REGEXP.test(task.command)) {
    return null;
  }
  // A task with a PATH of its own finds what this process does not.
  if (task.env.some(([name]) => name === "PATH")) return null;
  const words = splitWords(task.command);
  const program = words?.find((word) => !ASSIGNMENT_REGEXP.test(word));
  const hasOwnPath = words?.some((word) => word.startsWith("PATH="));
  return program === undefined || hasOwnPath || BUILTINS.has(program)
    ? null
    : program;
}

/** Words of a command without any syntax but quotes, or null if a quote stays open. */
function splitWords(command: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (const char of command) {
    if (quote !== null) {
      if (char === quote) quote = null;
      else word = (word ?? "") + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (char === " " || char === "\t") {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + char;
  }
  if (word !== null) words.push(word);
  return quote === null ? words : null;
}

async function isFound(
  program: string,
  task: TaskSpec,
  around: {
    readonly options: LintOptions;
    readonly searched: Map<string, Promise<boolean>>;
  },
): Promise<boolean> {
  if (program.includes("/")) {
    return await infoOf(resolvePath(task.cwd, program)) !== null;
  }
  const folders = around.options.searchPath?.split(":") ?? [];
  const known = around.searched.get(program);
  const search = known ?? isOnPath(program, folders);
  if (known === undefined) around.searched.set(program, search);
  return await search;
}

async function isOnPath(
  program: string,
  folders: readonly string[],
): Promise<boolean> {
  for (const folder of folders) {
    if (!folder.startsWith("/")) continue;
    const info = await infoOf(`${folder}/${program}`);
    if (info?.isFile && ((info.mode ?? 0) & EXECUTE_BITS) !== 0) return true;
  }
  return false;
}

function checkUrl(
  { health, env }: TaskSpec,
  add: (code: Issue["code"], message: string) => void,
): void {
  if (health.url === null) return;
  const expanded = expand(health.url, env);
  // What a variable stands for is known only when the task starts.
  if (expanded.startsWith("$")) return;
  const url = URL.parse(expanded.replace(/\$\{?\w+\}?/g, "x"));
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isHttp || url.hostname === "") {
    add(
      "health_url_invalid",
      `health_url "${health.url}" is no http or https URL with a host`,
    );
  } else if (!expanded.includes("$") && !isLocal(url.hostname)) {
    add(
      "health_url_not_local",
      `health_url "${health.url}" asks another machine, "${url.hostname}", about this task`,
    );
  }
}

/** Puts in what can be known before a start: any port will do, and the variables of the file. */
function expand(
  url: string,
  env: readonly (readonly [string, string])[],
): string {
  const values = new Map([["PORT", "1"], ...env]);
  return url.replace(
    /\$(?:(\w+)|\{(\w+)\})/g,
    (whole, bare: string | undefined, braced: string | undefined) =>
      values.get(bare ?? braced ?? "") ?? whole,
  );
}

function isLocal(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") ||
    host === "[::1]" || host === "0.0.0.0" || /^127(\.\d{1,3}){3}$/.test(host);
}

async function isFolder(path: string): Promise<boolean> {
  return (await infoOf(path))?.isDirectory ?? false;
}

async function infoOf(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    const isNotThere = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.FilesystemLoop;
    if (isNotThere) return null;
    throw error;
  }
}
