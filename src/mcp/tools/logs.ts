/**
 * `taskmux_logs`
 *
 * @module
 */

import { z } from "zod";
import { contract, type Result } from "../../contract/mod.ts";
import { BYTES_PER_TOKEN, maxTokens, names, namesOf } from "./arguments.ts";
import { type Brief, defineTool } from "./tool.ts";

/** Tokens of an answer, its text and its structured content each: a client gives its model one of them. */
export const LOG_TOKENS = 1_000;

const { lines, grep, level, since, cursor } = contract["log.read"].params.shape;

/** See the module. */
export const logs = defineTool({
  name: "logs",
  operation: "log.read",
  description:
    "Output of task(s); default all. Too much: both ends and errors stay",
  reach: "one",
  input: {
    task: names,
    lines,
    grep: grep.describe("regexp"),
    since: since.describe("5m or ISO"),
    level,
    cursor: cursor.describe("only newer"),
    max_tokens: maxTokens(LOG_TOKENS),
  },
  output: {
    lines: z.array(z.string()),
    cursor: z.string(),
    has_more: z.boolean(),
  },
  params: (args, scope) => ({
    scope: scope!,
    tasks: namesOf(args.task),
    ...args.lines === undefined || args.lines === null
      ? {}
      : { lines: args.lines },
    grep: args.grep,
    since: args.since,
    level: args.level,
    cursor: args.cursor,
    max_bytes: args.max_tokens * BYTES_PER_TOKEN,
  }),
  brief: logsBrief,
});

type LogElement = Result<"log.read">["lines"][number];

/** All that the operation has left in, each line once: it has kept to the budget in a longer form. */
export function logsBrief(result: Result<"log.read">): Brief {
  const { cursor, has_more: more, dropped, omitted, files } = result;
  const lines = result.lines.map(lineText);
  const left = omitted === undefined || omitted.lines === 0 ? null : omitted;
  const notes = [
    ...left === null ? [] : [
      `${left.lines} lines (${left.bytes} bytes) omitted${
        files === undefined || files.length === 0
          ? ""
          : ` of ${files.join(", ")}`
      }`,
    ],
    ...dropped === 0 ? [] : [`${dropped} bytes lost to rotation`],
    ...more ? ["there is more"] : [],
  ];
  return {
    structured: {
      lines,
      ...left === null ? {} : { omitted: left },
      ...left === null || files === undefined ? {} : { files },
      ...dropped === 0 ? {} : { dropped },
      ...more ? { has_more: true } : {},
      cursor,
    },
    text: [
      ...lines.length === 0 ? ["no lines"] : lines,
      [...notes, `cursor ${cursor}`].join("; "),
    ].join("\n"),
  };
}

/** `TIME text` as in the file, with the task where there are several, and what is left out in brackets. */
function lineText(line: LogElement): string {
  if (typeof line === "string") return line;
  if (!("text" in line)) return markText(line);
  const { ts, task, text, ...mark } = line;
  const note = markText(mark);
  return `${ts} ${task} | ${text}${note === "" ? "" : ` ${note}`}`;
}

function markText(
  { omitted, repeated, similar, redrawn }: {
    readonly omitted?: { readonly lines: number } | undefined;
    readonly repeated?: number | undefined;
    readonly similar?: true | undefined;
    readonly redrawn?: number | undefined;
  },
): string {
  const like = similar ? "much the same" : "the same";
  return [
    ...omitted === undefined ? [] : [`[${omitted.lines} lines omitted]`],
    ...repeated === undefined ? [] : [`[${repeated} more said ${like}]`],
    ...redrawn === undefined ? [] : [`[${redrawn} drawn over]`],
  ].join(" ");
}
