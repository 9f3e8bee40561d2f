/**
 * `taskmux_status`
 *
 * @module
 */

import { z } from "zod";
import type { Result } from "../../contract/mod.ts";
import { shortList, shortText } from "./short_text.ts";
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
  description: "State, port, URL of every task; reason where one is not well",
  reach: "one",
  input: {},
  output: {
    session: z.string(),
    tasks: z.record(z.string(), z.string()),
  },
  params: (_args, scope) => ({ scope: scope! }),
  brief: statusBrief,
});

/** At most 400 tokens for 20 tasks, text and all. */
export function statusBrief(status: Result<"task.status">): Brief {
  const { session, tasks } = status;
  const pattern = hostPattern(tasks);
  const words = tasks.map((task) =>
    [task.name, statusWords(task, pattern)] as const
  );
  const troubled = tasks.filter(({ state }) => isTroubled(state));
  const next = troubled.length === 0 ? {} : { next: "taskmux_why tells more" };
  const notes = notesOf(status);
  const urls = pattern === null ? {} : { "@": pattern.url };
  return {
    structured: {
      session,
      tasks: Object.fromEntries(words),
      ...urls,
      ...next,
      ...notes.length === 0 ? {} : { notes },
    },
    text: [
      `${session}: ${countText(tasks)}`,
      ...groupLines(status, pattern),
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

/** Tasks that are well by state, one line each; the others one by one. */
function groupLines(
  { tasks }: Result<"task.status">,
  pattern: ReturnType<typeof hostPattern>,
): string[] {
  const isPlain = (task: Task): boolean =>
    statusWords(task, pattern) === plainWords(task, pattern);
  const plain = Map.groupBy(tasks.filter(isPlain), ({ state }) => state);
  return [
    ...tasks.filter((task) => !isPlain(task)).map((task) =>
      `${task.name} ${statusWords(task, pattern)}`
    ),
    ...[...plain].map(([state, group]) =>
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
