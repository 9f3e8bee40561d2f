/**
 * `taskmux_start`, `taskmux_stop`, `taskmux_restart`, `taskmux_kill`
 *
 * @module
 */

import { z } from "zod";
import { contract, type Result } from "../../contract/mod.ts";
import { names, namesOf, someNames, timeout } from "./arguments.ts";
import { shortList, shortText } from "./short_text.ts";
import { taskList } from "./task_list.ts";
import { outcomeWords, type TaskOutcome } from "./task_words.ts";
import { type Brief, defineTool } from "./tool.ts";

const output = {
  ok: z.boolean(),
  tasks: z.record(z.string(), z.string()),
};

const { wait } = contract["task.start"].params.shape;

/** Has no environment of a shell to give: each task keeps the one it had, see `task.start`. */
export const start = defineTool({
  name: "start",
  operation: "task.start",
  description:
    "Start task(s) and what they depend on; default all. Running ones stay as they are",
  reach: "one",
  input: {
    task: names,
    wait: wait.describe("until healthy"),
    timeout,
  },
  output,
  params: (args, scope) => ({
    scope: scope!,
    tasks: namesOf(args.task),
    wait: args.wait,
    timeout: args.timeout,
    if_stopped: true,
  }),
  brief: actionBrief,
});

/** See the module. */
export const restart = defineTool({
  name: "restart",
  operation: "task.restart",
  description: "Restart task(s); default all",
  reach: "one",
  input: { task: names, wait, timeout },
  output,
  params: (args, scope) => ({
    scope: scope!,
    tasks: namesOf(args.task),
    wait: args.wait,
    timeout: args.timeout,
  }),
  brief: actionBrief,
});

/** See the module. */
export const stop = defineTool({
  name: "stop",
  operation: "task.stop",
  description: "Stop task(s) gracefully; default all",
  reach: "one",
  input: { task: names },
  output,
  params: (args, scope) => ({ scope: scope!, tasks: namesOf(args.task) }),
  brief: actionBrief,
});

/** See the module. */
export const kill = defineTool({
  name: "kill",
  operation: "task.kill",
  description: "SIGKILL task(s)",
  reach: "one",
  input: { task: someNames },
  output,
  params: (args, scope) => ({ scope: scope!, tasks: namesOf(args.task) }),
  brief: actionBrief,
});

/** About 15 tokens for each task, and 40 for each that failed. */
export function actionBrief(result: Result<"task.start">): Brief {
  const outcomes: readonly TaskOutcome[] = result.results ??
    (result.task === undefined ? [] : [{ ...result, task: result.task }]);
  const { shown: words, omitted } = taskList(
    outcomes.map((outcome) => [outcome.task, outcomeWords(outcome)]),
  );
  const notes = shortList(result.warnings ?? [], { count: 5, length: 240 });
  const { ok } = result;
  return {
    structured: {
      ok,
      tasks: Object.fromEntries(words),
      ...omitted === null ? {} : { omitted },
      ...ok ? {} : failureOf(result),
      ...notes.length === 0 ? {} : { notes },
    },
    text: [
      ...words.length === 0 ? ["nothing to do"] : [],
      ...words.map(([task, text]) => `${task}: ${text}`),
      ...omitted === null ? [] : [`omitted: ${omitted}`],
      ...notes,
    ].join("\n"),
    isFailure: !ok,
  };
}

/** The first of what failed, as `--json` has it. */
function failureOf(
  { error_code: code, error }: Result<"task.start">,
): { readonly [key: string]: string } {
  return {
    ...typeof code === "string" ? { error_code: code } : {},
    ...typeof error === "string" ? { error: shortText(error, 200) } : {},
  };
}
