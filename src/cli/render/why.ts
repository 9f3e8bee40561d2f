/**
 * The answer of `why` for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { stateText } from "../../domain/task_state.ts";
import type { Paint } from "./paint.ts";
import { STATE_STYLES } from "./status.ts";
import { padText, plainText, strippedText } from "./text.ts";

type Link = Result<"task.why">["chain"][number];

/** Width of the column of kinds: the longest is "dependency". */
const KIND_COLUMNS = 12;

/** The lines of `why`: the state, one line per link with what was printed below it, the next steps. */
export function whyLines(why: Result<"task.why">, paint: Paint): string[] {
  const { taskmux, you } = why.next;
  const state = paint(STATE_STYLES[why.state], stateText(why.state));
  return [
    // The rest of the summary is the first link.
    `${paint("bold", `Task "${plainText(why.task)}"`)} is ${state}`,
    ...why.chain.flatMap((link) => linkLines(link, paint)),
    ...typeof why.url === "string" ? [entry("url", why.url, paint)] : [],
    entry("next", `taskmux: ${plainText(taskmux)}`, paint),
    ...you === null ? [] : [entry("", `you: ${plainText(you)}`, paint)],
  ];
}

function linkLines(link: Link, paint: Paint): string[] {
  const { kind, text } = link;
  return [
    entry(kind, plainText(text), paint),
    ...printedLines(link).map((line) =>
      entry("", paint("dim", `| ${strippedText(line)}`), paint)
    ),
  ];
}

function printedLines(link: Link): readonly string[] {
  const { lines, output } = link;
  if (Array.isArray(lines)) return lines.map(String);
  return typeof output === "string" ? output.split("\n") : [];
}

function entry(kind: string, text: string, paint: Paint): string {
  return `  ${paint("dim", padText(kind, KIND_COLUMNS))}${text}`;
}
