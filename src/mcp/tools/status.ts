/**
 * `taskmux_status`
 *
 * @module
 */

import { z } from "zod";
import type { Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { isTunnelProgram } from "../../domain/tunnel.ts";
import { closest } from "../../kit/did_you_mean.ts";
import { namesOf, words } from "./arguments.ts";
import { errorBrief } from "./refusal.ts";
import { shortList, shortText } from "./short_text.ts";
import { type TaskList, taskList } from "./task_list.ts";
import {
  hostPattern,
  isTroubled,
  placeWords,
  statusWords,
} from "./task_words.ts";
import { type Brief, defineTool } from "./tool.ts";

/** See the module. */
export const status = defineTool({
  name: "status",
  operation: "task.status",
  description:
    "State, port, URL (@: see its key) of every task; reason if not well",
  reach: "one",
  input: { task: words },
  output: {
    session: z.string(),
    tasks: z.record(z.string(), z.string()),
  },
  params: (_args, scope) => ({ scope: scope! }),
  brief: (result, { args }) => {
    const names = namesOf(args.task);
    const unknown = names.find((name) =>
      !result.tasks.some((task) => task.name === name)
    );
    if (unknown !== undefined) return errorBrief(notFound(unknown, result));
    return statusBrief({
      ...result,
      tasks: result.tasks.filter((task) =>
        names.length === 0 ? isWorthIt(task) : names.includes(task.name)
      ),
    });
  },
});

/** The program of a tunnel is told of only if it is not well. */
function isWorthIt(task: Task): boolean {
  return !isTunnelProgram(task) || isTroubled(task.state);
}

function notFound(
  name: string,
  { tasks }: Result<"task.status">,
): TaskmuxError {
  const near = closest(name, tasks.map((task) => task.name));
  return new TaskmuxError("E200", `Task '${name}' not found in config`, {
    hint: near === null
      ? "Call it without task for all"
      : `did you mean "${near}"?`,
  });
}

/** At most 400 tokens for 20 tasks, text and all. */
export function statusBrief(status: Result<"task.status">): Brief {
  const { session, tasks } = status;
  const pattern = hostPattern(tasks);
  const { shown, omitted } = taskList(
    tasks.map((task) => [task.name, statusWords(task, pattern)]),
  );
  const troubled = tasks.filter(({ state }) => isTroubled(state));
  const next = troubled.length === 0 ? {} : { next: "taskmux_why tells more" };
  const notes = notesOf(status);
  const urls = pattern === null ? {} : { "@": pattern.url };
  return {
    structured: {
      session,
      tasks: Object.fromEntries(shown),
      ...omitted === null ? {} : { omitted },
      ...urls,
      ...next,
      ...notes.length === 0 ? {} : { notes },
    },
    text: [
      `${session}: ${countText(tasks)}`,
      ...groupLines(shownOf(tasks, shown), pattern),
      ...omitted === null ? [] : [`omitted: ${omitted}`],
      ...pattern === null ? [] : [`@ = ${pattern.url}`],
      ...notes,
    ].join("\n"),
  };
}

type Task = Result<"task.status">["tasks"][number];

function countText(tasks: readonly Task[]): string {
  const ill = tasks.filter(({ state }) => isTroubled(state)).length;
  const count = tasks.length === 1 ? "1 task" : `${tasks.length} tasks`;
  return ill === 0 ? count : `${count}, ${ill} not well`;
}

function shownOf(
  tasks: readonly Task[],
  shown: TaskList["shown"],
): readonly Task[] {
  const names = new Set(shown.map(([name]) => name));
  return tasks.filter(({ name }) => names.has(name));
}

/** Tasks of which the same is to be said share a line; of those that are well each is told with its place. */
function groupLines(
  tasks: readonly Task[],
  pattern: ReturnType<typeof hostPattern>,
): string[] {
  const isPlain = (task: Task): boolean =>
    statusWords(task, pattern) === plainWords(task, pattern);
  const names = (group: readonly Task[]): string =>
    group.map(({ name }) => name).join(", ");
  const ill = Map.groupBy(
    tasks.filter((task) => !isPlain(task)),
    (task) => statusWords(task, pattern),
  );
  const well = Map.groupBy(tasks.filter(isPlain), ({ state }) => state);
  return [
    ...[...ill].map(([words, group]) => `${names(group)} ${words}`),
    ...[...well].map(([state, group]) =>
      `${state}: ${
        group.map((task) => plainWords(task, pattern).replace(state, task.name))
          .join(", ")
      }`
    ),
  ];
}

function plainWords(
  task: Task,
  pattern: ReturnType<typeof hostPattern>,
): string {
  const place = task.running ? placeWords(task, pattern) : "";
  return place === "" ? task.state : `${task.state} ${place}`;
}

/** What is wrong with the project, not with a task. */
function notesOf(
  { config_error: broken, warnings, aliases }: Result<"task.status">,
): string[] {
  return [
    ...broken === null ? [] : [
      `taskmux.toml is broken, an older one holds: ${
        shortText(`${broken.error_code} ${broken.error}`, 200)
      }`,
    ],
    ...aliases.length === 0 ? [] : [`${aliases.length} aliases`],
    ...shortList(warnings, { count: 3, length: 160 }),
  ];
}
