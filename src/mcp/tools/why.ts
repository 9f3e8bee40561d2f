/**
 * `taskmux_why`
 *
 * @module
 */

import { z } from "zod";
import { contract, type Result } from "../../contract/mod.ts";
import { shortText } from "./short_text.ts";
import { type Brief, defineTool } from "./tool.ts";

/** Characters of all links together: text and structured content stay below 300 tokens. */
const CHAIN_LENGTH = 440;

/** Longest link. */
const LINK_LENGTH = 200;

const { task } = contract["task.why"].params.shape;

/** See the module. */
export const why = defineTool({
  name: "why",
  operation: "task.why",
  description: "Why a task is as it is, and what to do",
  reach: "one",
  input: { task },
  output: {
    state: z.string(),
    because: z.array(z.string()),
    taskmux: z.string(),
    you: z.string(),
  },
  params: ({ task }, scope) => ({ scope: scope!, task }),
  brief: whyBrief,
});

type Link = Result<"task.why">["chain"][number];

/** The most decisive links that fit. */
export function whyBrief(result: Result<"task.why">): Brief {
  const { state, url, chain, next: { taskmux, you } } = result;
  const because = leading(chain.map(linkText));
  const omitted = chain.length - because.length;
  return {
    structured: {
      state,
      ...url === null || url === undefined ? {} : { url },
      because,
      ...omitted === 0 ? {} : { omitted },
      taskmux: shortText(taskmux, LINK_LENGTH),
      ...you === null ? {} : { you },
    },
    text: [
      `${result.task} is ${state}${url ? ` at ${url}` : ""}`,
      ...because.map((text) => `- ${text}`),
      ...omitted === 0 ? [] : [`- and ${omitted} more, see taskmux_inspect`],
      `taskmux: ${shortText(taskmux, LINK_LENGTH)}`,
      ...you === null ? [] : [`you: ${you}`],
    ].join("\n"),
  };
}

function leading(texts: readonly string[]): string[] {
  let length = 0;
  const at = texts.findIndex((text) => (length += text.length) > CHAIN_LENGTH);
  return texts.slice(0, at === -1 ? texts.length : Math.max(1, at));
}

/** What it says, and the end of what was printed. */
function linkText(link: Link): string {
  const { text, lines, output } = link;
  const printed = Array.isArray(lines)
    ? lines.map(String)
    : typeof output === "string"
    ? output.split("\n")
    : [];
  const last = printed.filter((line) => line.trim() !== "").slice(-4);
  const head = shortText(text, LINK_LENGTH);
  const room = LINK_LENGTH - head.length;
  if (last.length === 0 || room < 20) return head;
  const quote = last.join(" | ");
  const shown = quote.length <= room ? quote : `…${quote.slice(1 - room)}`;
  return `${head} > ${shown}`;
}
