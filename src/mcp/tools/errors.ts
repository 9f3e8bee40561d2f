/**
 * `taskmux_errors`
 *
 * @module
 */

import { z } from "zod";
import { contract, type Result } from "../../contract/mod.ts";
import { BYTES_PER_TOKEN, maxTokens, names, namesOf } from "./arguments.ts";
import { type Brief, defineTool } from "./tool.ts";

/** Tokens of an answer, its text and its structured content each. */
export const ERROR_TOKENS = 800;

/** Most errors in one answer, the newest. */
const MAX_GROUPS = 20;

const { since, cursor } = contract["log.errors"].params.shape;

/** See the module. */
export const errors = defineTool({
  name: "errors",
  operation: "log.errors",
  description: "Errors and stack traces in the logs, each once",
  reach: "one",
  input: {
    task: names,
    since,
    cursor,
    max_tokens: maxTokens(ERROR_TOKENS),
  },
  output: { errors: z.array(z.looseObject({})), cursor: z.string() },
  params: (args, scope) => ({
    scope: scope!,
    tasks: namesOf(args.task),
    since: args.since,
    cursor: args.cursor,
    groups: MAX_GROUPS,
    max_bytes: args.max_tokens * BYTES_PER_TOKEN,
  }),
  brief: errorsBrief,
});

type Group = Result<"log.errors">["groups"][number];

/** Each error without what is only for programs. */
export function errorsBrief(result: Result<"log.errors">): Brief {
  const { groups, omitted_groups: omitted, cursor, dropped } = result;
  const { skipped_bytes: skipped } = result.scanned;
  const notes = [
    ...omitted === 0 ? [] : [`${omitted} more errors omitted`],
    ...skipped === 0 ? [] : [`${skipped} older bytes not read`],
    ...dropped === 0 ? [] : [`${dropped} bytes lost to rotation`],
  ];
  return {
    structured: {
      errors: groups.map(groupView),
      ...notes.length === 0 ? {} : { notes },
      cursor,
    },
    text: [
      ...groups.length === 0 ? ["no errors"] : groups.map(groupText),
      [...notes, `cursor ${cursor}`].join("; "),
    ].join("\n"),
  };
}

function groupView(
  group: Group,
): { readonly [key: string]: string | number | string[] } {
  const { task, count, message, last, sample } = group;
  const place = placeOf(group);
  return {
    task,
    message,
    count,
    last,
    ...place === null ? {} : { at: place },
    ...sample.length === 0 ? {} : { sample },
  };
}

function groupText(group: Group): string {
  const { task, count, message, last, sample } = group;
  const place = placeOf(group);
  return [
    `${task}: ${message} (${count}x, last ${last}${
      place === null ? "" : `, ${place}`
    })`,
    ...sample.map((line) => `  ${line}`),
  ].join("\n");
}

function placeOf({ frame }: Group): string | null {
  if (frame === null) return null;
  return frame.line === null ? frame.file : `${frame.file}:${frame.line}`;
}
