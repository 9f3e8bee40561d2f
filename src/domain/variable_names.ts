/**
 * The environment variables by which a project tells about itself, to its tasks and through `taskmux env`.
 *
 * @module
 */

import { TaskmuxError } from "./error.ts";
import { isCatchAllUrl } from "./task_url.ts";

/** What the names of the variables begin with unless the user wants otherwise. */
export const VARIABLE_PREFIX = "TASKMUX_";

/** What the variables of a project are made of. */
export interface ProjectFacts {
  /** `name` of the file. */
  readonly project: string;
  readonly projectId: string;
  /** Name under which all its hosts are. */
  readonly baseHost: string;
  /** Null when no branch is checked out or there is no repository. */
  readonly branch: string | null;
  /** Null in the primary checkout. */
  readonly worktreeId: string | null;
  readonly isLinked: boolean;
  /** Every task in file order, then every alias, with its address; null = none. */
  readonly urls: readonly (readonly [name: string, url: string | null])[];
  /** Public addresses by task, of those that have one now. */
  readonly publicUrls?: ReadonlyMap<string, string>;
}

/** How the variables are named and which are told. */
export interface VariableOptions {
  /** Empty or an identifier; `TASKMUX_` by default. */
  readonly prefix?: string;
  /** Whether the `URL_` and `PUBLIC_URL_` variables are told; true by default. */
  readonly urls?: boolean;
}

/**
 * The variables of a project in the order in which they are shown. What does not exist (no branch, no address, a
 * catch-all address) has no variable.
 *
 * @throws {TaskmuxError} E500 if the prefix cannot begin a variable's name.
 */
export function projectVariables(
  facts: ProjectFacts,
  options: VariableOptions = {},
): Record<string, string> {
  const prefix = options.prefix ?? VARIABLE_PREFIX;
  checkPrefix(prefix);
  const variables: Record<string, string> = {
    [`${prefix}PROJECT`]: facts.project,
    [`${prefix}PROJECT_ID`]: facts.projectId,
    [`${prefix}BASE_HOST`]: facts.baseHost,
    [`${prefix}IS_LINKED`]: facts.isLinked ? "1" : "0",
  };
  if (facts.branch !== null) variables[`${prefix}BRANCH`] = facts.branch;
  if (facts.worktreeId !== null) {
    variables[`${prefix}WORKTREE`] = facts.worktreeId;
  }
  if (options.urls === false) return variables;
  const names = variableNames(facts.urls.map(([task]) => task));
  for (const [task, url] of facts.urls) {
    if (url === null || isCatchAllUrl(url)) continue;
    variables[`${prefix}URL_${names.get(task)}`] = url;
  }
  for (const [task, url] of facts.publicUrls ?? []) {
    variables[`${prefix}PUBLIC_URL_${names.get(task)}`] = url;
  }
  return variables;
}

/**
 * Refuses what variables cannot begin with.
 *
 * @throws {TaskmuxError} E500
 */
export function checkPrefix(prefix: string): void {
  if (!/^(?:[A-Za-z_][A-Za-z0-9_]*)?$/.test(prefix)) {
    throw new TaskmuxError(
      "E500",
      `Cannot use prefix "${prefix}": it must begin with a letter or underscore and hold only letters, digits and underscores`,
      { hint: `taskmux env --prefix ${VARIABLE_PREFIX}` },
    );
  }
}

/** The name of a task as part of a variable's name: `web-1` is `WEB_1`. Several tasks may share one. */
export function variableName(task: string): string {
  const name = task.toUpperCase().replace(/[^A-Z0-9]/g, "_")
    .replace(/^_+|_+$/g, "");
  return name === "" ? "TASK" : name;
}

/**
 * A name of its own for each task. Of tasks that would share one, the first keeps it and the others get `_2`, `_3` and
 * so on. Depends only on the tasks and their order, so that every task and `taskmux env` see the same names.
 */
export function variableNames(
  tasks: readonly string[],
): ReadonlyMap<string, string> {
  const taken = new Set(tasks.map(variableName));
  const owned = new Set<string>();
  const names = new Map<string, string>();
  for (const task of tasks) {
    if (names.has(task)) continue;
    const plain = variableName(task);
    let name = plain;
    for (let n = 2; name === plain ? owned.has(name) : taken.has(name); n++) {
      name = `${plain}_${n}`;
    }
    taken.add(name);
    owned.add(name);
    names.set(task, name);
  }
  return names;
}
