/**
 * Aliases: names of a project for ports that no task of it listens on, such as that of a container.
 *
 * Pure. A task is always stronger than an alias: it stands in the file, which others share.
 *
 * @module
 */

import { TaskmuxError } from "./error.ts";
import { APEX, CATCH_ALL } from "./host_name.ts";
import { MAX_LABEL_LENGTH } from "./worktree_id.ts";

const LABEL_REGEXP = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const MAX_PORT = 65_535;

/** One alias of a project. */
export interface Alias {
  /** A label; no two aliases of a project share it. */
  readonly name: string;
  /** The label before the project's name; no two aliases of a project share it. */
  readonly host: string;
  /** Of this machine. */
  readonly port: number;
}

/** What has a name, and perhaps a host, in a project: a task or an alias. */
export interface Named {
  readonly name: string;
  /** Null = none. */
  readonly host: string | null;
  /** The project that it runs in and has its host in, if that is another one. */
  readonly projectId?: string;
}

/** Something with an address: a task or an alias. */
export interface Route extends Named {
  readonly hostPath: string;
  /** Null = none, or not yet known. */
  readonly port: number | null;
  /** Where others reach it; absent = nowhere. */
  readonly publicUrl?: string;
}

/** Where requests for an alias go, for people. */
export function aliasTarget({ port }: Alias): string {
  return `localhost:${port}`;
}

/**
 * Refuses what can be no alias.
 *
 * @throws {TaskmuxError} E500 with what is wrong.
 */
export function checkAlias({ name, host, port }: Alias): void {
  requireLabel(name, "name");
  if (host === APEX || host === CATCH_ALL) {
    throw invalid(
      `Cannot give an alias the host "${host}": only a task can have it`,
      `taskmux alias add ${name} ${port}`,
      host,
    );
  }
  requireLabel(host, "host");
  if (Number.isInteger(port) && port >= 1 && port <= MAX_PORT) return;
  throw invalid(
    `Cannot give an alias the port ${port}: it must be a whole number from 1 to ${MAX_PORT}`,
    `taskmux alias add ${name} 8080`,
    port,
  );
}

/**
 * Refuses an alias whose name or host something else in the project has. An alias of the same name is replaced.
 *
 * @throws {TaskmuxError} E702 with who has it.
 */
export function requireFree(
  alias: Alias,
  { tasks, aliases }: {
    readonly tasks: readonly Named[];
    readonly aliases: readonly Alias[];
  },
): void {
  const { name, host } = alias;
  const owner = tasks.find((task) => task.name === name);
  if (owner !== undefined) {
    throw new TaskmuxError(
      "E702",
      `Cannot add alias "${name}": a task has that name`,
      {
        hint: "Choose another name; --host NAME still says where it answers",
        details: { alias: name, task: name },
      },
    );
  }
  const task = tasks.find((each) => hasHost(each, host));
  const other = aliases.find((each) =>
    each.host === host && each.name !== name
  );
  if (task === undefined && other === undefined) return;
  const holder = task === undefined
    ? `alias "${other?.name}"`
    : `task "${task.name}"`;
  throw new TaskmuxError(
    "E702",
    `Cannot use host "${host}" for alias "${name}": ${holder} has it`,
    {
      hint: task === undefined
        ? `taskmux alias remove ${other?.name}, or give another --host`
        : "Give it another name with --host, or change the task",
      details: task === undefined
        ? { host, alias: other?.name ?? "" }
        : { host, task: task.name },
    },
  );
}

/** The task that has the host of an alias, or its name. Then the alias leads nowhere, until one of them gives way. */
export function rivalOf<T extends Named>(
  alias: Alias,
  tasks: readonly T[],
): T | null {
  return tasks.find((task) =>
    task.name === alias.name || hasHost(task, alias.host)
  ) ?? null;
}

function hasHost(task: Named, host: string): boolean {
  return task.host === host && task.projectId === undefined;
}

/** What is wrong with an alias that has a rival, as a sentence. */
export function rivalWarning(
  { name, host }: Alias,
  rival: Named,
): string {
  const what = hasHost(rival, host) ? `host "${host}"` : `name "${name}"`;
  return `Alias "${name}" leads nowhere: task "${rival.name}" has its ${what}. ` +
    `"taskmux alias remove ${name}" removes it`;
}

/** Everything with an address in a project: its tasks, then the aliases that have no rival. */
export function routesOf(
  tasks: readonly Route[],
  aliases: readonly Alias[],
): Route[] {
  return [
    ...tasks,
    ...aliases.filter((alias) => rivalOf(alias, tasks) === null)
      .map((alias) => ({ ...alias, hostPath: "/" })),
  ];
}

function requireLabel(text: string, what: "name" | "host"): void {
  const shown = JSON.stringify(text.slice(0, MAX_LABEL_LENGTH));
  const isLabel = text.length <= MAX_LABEL_LENGTH && LABEL_REGEXP.test(text);
  if (isLabel) return;
  throw invalid(
    `Cannot use ${shown} as the ${what} of an alias: it must be a label of lower-case letters, digits and inner "-", at most ${MAX_LABEL_LENGTH} long`,
    what === "name"
      ? "taskmux alias add admin 8080"
      : "taskmux alias add cache 6379 --host redis",
    text,
  );
}

function invalid(
  message: string,
  hint: string,
  value: string | number,
): TaskmuxError {
  return new TaskmuxError("E500", message, { hint, details: { value } });
}
