/**
 * `taskmux_health`
 *
 * @module
 */

import { z } from "zod";
import type { Result } from "../../contract/mod.ts";
import { names, namesOf } from "./arguments.ts";
import { shortText } from "./short_text.ts";
import { taskList } from "./task_list.ts";
import { type Brief, defineTool } from "./tool.ts";

/** Longest reason, in characters. */
const REASON_LENGTH = 160;

/** See the module. */
export const health = defineTool({
  name: "health",
  operation: "task.health",
  description: "Probe task(s) now; default all",
  reach: "one",
  input: { task: names },
  output: {
    healthy: z.int(),
    total: z.int(),
    tasks: z.record(z.string(), z.string()),
  },
  params: (args, scope) => ({ scope: scope!, tasks: namesOf(args.task) }),
  brief: healthBrief,
});

/** About 10 tokens for each task, and 30 for one that is not healthy. */
export function healthBrief(result: Result<"task.health">): Brief {
  const { healthy_count: healthy, total_count: total } = result;
  const { shown: words, omitted } = taskList(
    result.tasks.map((task) => [task.name, healthWords(task)]),
  );
  return {
    structured: {
      healthy,
      total,
      tasks: Object.fromEntries(words),
      ...omitted === null ? {} : { omitted },
    },
    text: [
      `${healthy} of ${total} healthy`,
      ...words.map(([name, text]) => `${name}: ${text}`),
      ...omitted === null ? [] : [`omitted: ${omitted}`],
    ].join("\n"),
  };
}

function healthWords(
  { healthy, method, reason }: Result<"task.health">["tasks"][number],
): string {
  if (healthy === null) return reason ?? "completed";
  if (healthy) return `healthy by ${method}`;
  const why = reason === null ? "" : `: ${shortText(reason, REASON_LENGTH)}`;
  return `unhealthy by ${method}${why}`;
}
