/**
 * Logs of tasks that print numbers, to tell a line that is missing or came twice.
 *
 * @module
 */

import assert from "node:assert/strict";
import { logTexts } from "./keeper.ts";

/** A shell loop that prints numbers from 1 on, at full speed by so many, then sleeping. */
export function countingCommand(step: number, pause: string): string {
  return `n=0; while :; do seq -f %.0f $((n+1)) $((n+${step})); ` +
    `n=$((n+${step})); sleep ${pause}; done`;
}

/** Texts of all lines of a log, those of rotated files first. */
export function allLogTexts(path: string): string[] {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const name = path.slice(folder.length + 1);
  const generations = [...Deno.readDirSync(folder)].flatMap((entry) => {
    const [, generation] = entry.name.split(`${name}.`);
    return generation === undefined ? [] : [Number(generation)];
  });
  return [
    ...generations.toSorted((a, b) => b - a).map((n) => `${path}.${n}`),
    path,
  ]
    .flatMap(logTexts);
}

/** Fails unless these are the numbers from `first` on, each once and in order. */
export function assertCounted(
  texts: readonly string[],
  first: number,
  what: string,
): void {
  const index = texts.findIndex((text, at) => text !== String(first + at));
  if (index === -1) return;
  const around = texts.slice(Math.max(0, index - 2), index + 3).join(" ");
  assert.fail(`${what}: line ${index} is not ${first + index}: ${around}`);
}
