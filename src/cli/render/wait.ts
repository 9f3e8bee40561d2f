/**
 * The answer of `wait` for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { formatDuration } from "../../kit/duration.ts";
import { plainText } from "./text.ts";

/** One line per task that meets the condition. */
export function waitLines(result: Result<"task.wait">): string[] {
  const { waited, event } = result;
  const what = `waited ${formatDuration(waited * 1000)} for ${result.for}`;
  if (event !== undefined) {
    return [`Event ${eventText(event)} happened (${what})`];
  }
  return result.tasks.filter(({ met }) => met).map(
    ({ task, state, line, event }) => {
      const head = `Task "${task}" is ${state} (${what})`;
      if (line !== undefined) return `${head}: ${plainText(line)}`;
      return event === undefined ? head : `${head}: ${eventText(event)}`;
    },
  );
}

function eventText(event: { readonly [key: string]: unknown }): string {
  const task = event["task"] === undefined ? "" : ` of task "${event["task"]}"`;
  return plainText(`${event["event"]}${task} at ${event["ts"]}`);
}
