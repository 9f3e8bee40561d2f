/**
 * Whole answers of limited size, from files, in JSON and in text.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { textForm } from "../../../src/cli/render/log_marks.ts";
import { omittedText } from "../../../src/cli/render/log_marks.ts";
import { LogPrinter } from "../../../src/cli/render/logs.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import {
  budgetAnswer,
  readIntoBudget,
} from "../../../src/logs/budgeted_answer.ts";
import { readLogs } from "../../../src/logs/log_reader.ts";
import { budgetedText } from "../../../src/offline/budgeted_logs.ts";
import { LogFolder, queryOf } from "../../support/log_folder.ts";

const RUNS = 150;

const word = fc.oneof(
  fc.lorem({ maxCount: 10 }),
  fc.string({ unit: "grapheme", maxLength: 40 }).map((text) =>
    text.replaceAll(/[\r\n]/g, "")
  ),
  fc.constantFrom(
    "Error: no such file",
    "    at f (x.ts:1:2)",
    "\x1b[1A\x1b[2Kdrawn over",
    `"${"\\".repeat(3_000)}"`,
    "😀".repeat(2_000),
    "same",
    "same",
  ),
);

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The answer, or the least budget that was named instead. */
function attempt<T>(answer: () => T): T | number {
  try {
    return answer();
  } catch (error) {
    assert(error instanceof TaskmuxError && error.code === "E500");
    return Number(Object(error.details)["least"]);
  }
}

Deno.test("an answer with all that belongs to it is never larger than asked for", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom("api", "größe"), word), {
        maxLength: 150,
      }),
      fc.integer({ min: 512, max: 8_000 }),
      fc.integer({ min: 0, max: 400 }),
      fc.boolean(),
      async (lines, maxBytes, spentBytes, isOne) => {
        using folder = new LogFolder();
        for (const [task, text] of lines) {
          folder.append(task, [folder.line(text)]);
        }
        const tasks = isOne ? ["api"] : ["api", "größe"];
        const query = queryOf(tasks.map((task) => folder.source(task)));
        const page = await readIntoBudget(query, { maxBytes, secrets: null });
        const limit = { maxBytes, spentBytes };
        const json = attempt(() =>
          JSON.stringify(budgetAnswer(page, isOne ? "api" : null, limit))
        );
        if (typeof json === "number") assert(json > maxBytes, `${json}`);
        else {
          assert(sizeOf(json) + 1 + spentBytes <= maxBytes);
          const { omitted, files, cursor } = JSON.parse(json);
          assert.equal(omitted.lines > 0, files !== undefined);
          const after = await readLogs({ ...query, cursor });
          assert.deepEqual(after.records, [], "the cursor covers all");
        }
        const printer = new LogPrinter({
          paint: (_, text) => text,
          colours: false,
          withTask: true,
        });
        const text = attempt(() =>
          budgetedText(page, {
            ...limit,
            tasks,
            form: textForm(printer, !isOne),
            last: omittedText,
          }).map((line) => `${line}\n`).join("")
        );
        if (typeof text === "number") assert(text > maxBytes, `${text}`);
        else {
          assert(sizeOf(text) + spentBytes <= maxBytes);
          assert(text.isWellFormed());
        }
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("the least budget that an error names is enough", async () => {
  using folder = new LogFolder();
  const tasks = Array.from({ length: 40 }, (_, n) => `task-${n}`);
  for (const task of tasks) folder.append(task, [folder.line("x".repeat(99))]);
  const query = queryOf(tasks.map((task) => folder.source(task)));
  const page = await readIntoBudget(query, { maxBytes: 512, secrets: null });
  const least = attempt(() => budgetAnswer(page, null, { maxBytes: 512 }));
  assert(typeof least === "number" && least > 512);
  const answer = budgetAnswer(page, null, { maxBytes: least });
  assert(sizeOf(JSON.stringify(answer)) < least);
  assert.equal(answer.omitted.lines, 40);
});

Deno.test("a search of any length is read to its end", async () => {
  using folder = new LogFolder();
  const count = 230_000;
  const lines = Array.from(
    { length: count },
    (_, n) =>
      folder.line(
        n === 150_000
          ? "Error: lost"
          : `${n % 7 === 0 ? "tick" : "tock"} ${n.toString(36)}`,
      ),
  );
  folder.append("api", lines);
  const query = queryOf([folder.source("api")]);
  const page = await readIntoBudget(query, { maxBytes: 2_000, secrets: null });
  assert.equal(page.total.lines, count);
  assert.equal(page.hasMore, false);
  const answer = budgetAnswer(page, "api", { maxBytes: 2_000 });
  const texts = answer.lines.filter((line) => typeof line === "string");
  assert(texts.some((line) => line.endsWith("Error: lost")));
  assert.equal(texts.at(-1), lines.at(-1));
  assert.deepEqual(answer.files, [folder.file("api")]);
});
