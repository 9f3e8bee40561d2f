/**
 * `taskmux_wait`
 *
 * @module
 */

import { z } from "zod";
import { contract, type Result } from "../../contract/mod.ts";
import { names, namesOf, timeout } from "./arguments.ts";
import { compactEvent, eventText } from "./compact_event.ts";
import { shortText } from "./short_text.ts";
import { joined, placeWords } from "./task_words.ts";
import { type Brief, type BriefContext, defineTool } from "./tool.ts";

/** Longest line that is quoted, in characters. */
const LINE_LENGTH = 300;

const { for: condition, any } = contract["task.wait"].params.shape;

/** See the module. */
export const wait = defineTool({
  name: "wait",
  operation: "task.wait",
  description: "Wait until task(s) meet a condition; says so when it can't",
  reach: "one",
  input: {
    task: names,
    for: condition.describe(
      "healthy running completed stopped port log:/re/ event:TYPE",
    ),
    timeout,
    any: any.describe("one is enough"),
  },
  output: {
    waited: z.number(),
    tasks: z.record(z.string(), z.string()),
  },
  params: (args, scope) => ({
    scope: scope!,
    tasks: namesOf(args.task),
    for: args.for,
    timeout: args.timeout,
    any: args.any,
  }),
  brief: waitBrief,
});

/** About 15 tokens for each task. */
export function waitBrief(
  result: Result<"task.wait">,
  context: Pick<BriefContext<unknown>, "isPinned" | "now">,
): Brief {
  const words = result.tasks.map((task) =>
    [task.task, taskWords(task, context)] as const
  );
  const event = result.event === undefined
    ? {}
    : { event: compactEvent(result.event, context) };
  return {
    structured: {
      waited: result.waited,
      tasks: Object.fromEntries(words),
      ...event,
    },
    text: [
      `${result.for} after ${result.waited} s`,
      ...words.map(([name, text]) => `${name}: ${text}`),
      ...result.event === undefined
        ? []
        : [eventText(compactEvent(result.event, context))],
    ].join("\n"),
  };
}

function taskWords(
  task: Result<"task.wait">["tasks"][number],
  context: Pick<BriefContext<unknown>, "isPinned" | "now">,
): string {
  const { state, met, line, event } = task;
  return joined([
    joined([state, placeWords(task), met ? "" : "(not met)"]),
    line === undefined ? "" : `line: ${shortText(line, LINE_LENGTH)}`,
    event === undefined ? "" : eventText(compactEvent(event, context)),
  ], "; ");
}
