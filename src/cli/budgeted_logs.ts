/**
 * Answers about logs of limited size, on stdout.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import { utf8Length } from "../kit/utf8_length.ts";
import {
  budgetedJson,
  budgetedText,
  type ReadBudget,
} from "../offline/budgeted_logs.ts";
import type { Context } from "./context.ts";
import type { PlaceReached } from "./log_place.ts";
import { answerLines, omittedText, textForm } from "./render/log_marks.ts";
import { LogPrinter } from "./render/logs.ts";

/** What one attempt to fit an answer of the daemon into a text leaves of the room. */
const NEXT_ATTEMPT = 0.8;

/** Prints lines that were read from the files. */
export async function printBudgeted(
  { output }: Context,
  page: ReadBudget,
  { tasks, maxBytes }: {
    readonly tasks: readonly string[];
    readonly maxBytes: number;
  },
): Promise<PlaceReached> {
  const question = { tasks, maxBytes, spentBytes: output.newsBytes };
  if (output.json) await output.value(budgetedJson(page, question));
  else {
    await output.lines(budgetedText(page, {
      ...question,
      form: textForm(plainPrinter(), tasks.length !== 1),
      last: omittedText,
    }));
  }
  return page;
}

/**
 * Prints an answer of the daemon, when only that knows the logs. It counts in JSON; a text may be longer, and is then
 * asked for again, shorter.
 *
 * @param ask Asks for an answer of at most so many bytes; null = nobody answers.
 */
export async function printAskedBudget(
  { output }: Context,
  maxBytes: number,
  ask: (maxBytes: number) => Promise<Result<"log.read"> | null>,
): Promise<PlaceReached | null> {
  for (let bytes = maxBytes;; bytes = Math.floor(bytes * NEXT_ATTEMPT)) {
    const answer = await ask(bytes);
    if (answer === null) return null;
    if (output.json) {
      const { recent_events: _, recent_events_omitted: __, ...own } = answer;
      const size = utf8Length(JSON.stringify(own)) + 1 + output.newsBytes;
      if (size > maxBytes) continue;
      await output.value(own);
      return answer;
    }
    const lines = answerLines(answer, plainPrinter());
    const size = lines.reduce((sum, line) => sum + utf8Length(line) + 1, 0);
    if (size > maxBytes) continue;
    await output.lines(lines);
    return answer;
  }
}

/** Not even for a terminal are there colours: they would count. */
function plainPrinter(): LogPrinter {
  return new LogPrinter({
    paint: (_, text) => text,
    colours: false,
    withTask: true,
  });
}
