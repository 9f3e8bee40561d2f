/**
 * Answers of limited size: what they keep, what they say about the rest, and that they are never larger.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ALL_TASKS_FORM,
  type BudgetForm,
  type JsonElement,
  ONE_TASK_FORM,
} from "../../../src/logs/budget_form.ts";
import { lineLimit } from "../../../src/logs/budget_selection.ts";
import { LogBudget } from "../../../src/logs/log_budget.ts";
import {
  AMPLE_BYTES,
  budgetOf,
  isErrorText,
  recordOf,
  withoutStamp,
} from "../../support/budget_lines.ts";

const RUNS = 300;

function chosen(lines: readonly string[], room = AMPLE_BYTES): JsonElement[] {
  const { elements } = budgetOf(lines).choose(room, ONE_TASK_FORM);
  return elements.map(withoutStamp);
}

function plain(count: number, text = "line"): string[] {
  const letters = (n: number): string =>
    n < 26
      ? String.fromCharCode(97 + n)
      : letters(Math.floor(n / 26) - 1) + letters(n % 26);
  return Array.from({ length: count }, (_, n) => `${text} ${letters(n)}`);
}

function bytesOf(lines: readonly string[]): number {
  const stamp = 24;
  return new TextEncoder().encode(lines.join("")).length +
    (stamp + 1) * lines.length;
}

Deno.test("a log that fits is shown whole", () => {
  const lines = plain(50);
  const { elements, omitted } = budgetOf(lines).choose(10_000, ONE_TASK_FORM);
  assert.deepEqual(elements.map(withoutStamp), lines);
  assert.deepEqual(omitted, { lines: 0, bytes: 0 });
});

Deno.test("head, tail and errors with what stands around them stay", () => {
  const lines = plain(2000);
  lines[700] = "ERROR one";
  lines.splice(701, 2, "    at f (a.ts:1)", "    at g (b.ts:2)");
  lines[1200] = "ERROR two";
  const shown = chosen(lines, 2500);
  assert.equal(shown[0], lines[0]);
  assert.equal(shown.at(-1), lines.at(-1));
  const error = shown.indexOf("ERROR one");
  assert.deepEqual(shown.slice(error - 2, error + 3), lines.slice(698, 703));
  const other = shown.indexOf("ERROR two");
  assert.deepEqual(shown.slice(other - 2, other + 3), lines.slice(1198, 1203));
});

Deno.test("each gap says exactly what is left out", () => {
  const lines = plain(500);
  lines[250] = "ERROR grün";
  const { elements, omitted } = budgetOf(lines).choose(800, ONE_TASK_FORM);
  let at = 0;
  for (const element of elements.map(withoutStamp)) {
    if (typeof element === "string") {
      assert.equal(element, lines[at]);
      at++;
    } else {
      assert("omitted" in element);
      const { lines: count, bytes } = element.omitted;
      assert.equal(bytes, bytesOf(lines.slice(at, at + count)));
      at += count;
    }
  }
  assert.equal(at, lines.length);
  const shown = elements.filter((element) => typeof element === "string");
  assert.equal(omitted.lines, lines.length - shown.length);
});

Deno.test("repeats are counted; those that differ in numbers are marked", () => {
  assert.deepEqual(chosen(["a", "same", "same", "same", "b"]), [
    "a",
    "same",
    { repeated: 2 },
    "b",
  ]);
  const steps = Array.from({ length: 9 }, (_, n) => `step ${n + 1} in ${n}ms`);
  assert.deepEqual(chosen([...steps, "done"]), [
    "step 1 in 0ms",
    { repeated: 7, similar: true },
    "step 9 in 8ms",
    "done",
  ]);
  const few = ["try 1", "try 2", "try 3", "ok"];
  assert.deepEqual(chosen(few), few);
  const bars = [1, 4, 7, 12, 20].map((n) =>
    `⠋ ${n * 5}% [${"=".repeat(n)}>${" ".repeat(20 - n)}] 12:00:0${n % 10}`
  );
  assert.deepEqual(chosen(bars), [
    bars[0],
    { repeated: 3, similar: true },
    bars[4],
  ]);
  const words = ["get /a", "get /b", "get /c", "get /d", "get /e"];
  assert.deepEqual(chosen(words), words);
});

Deno.test("lines of several tasks carry what they stand for", () => {
  const budget = new LogBudget({
    maxBytes: AMPLE_BYTES,
    isWhole: true,
    isError: isErrorText,
  });
  const tasks = ["a", "a", "b", "b", "a"];
  for (const [at, task] of tasks.entries()) {
    budget.add(recordOf("same", { task, at }));
  }
  assert.deepEqual(budget.end(), { lines: 5, bytes: 5 * 29 });
  const { elements } = budget.choose(AMPLE_BYTES, ALL_TASKS_FORM);
  const second = (at: number) => recordOf("", { at }).ts;
  assert.deepEqual(elements, [
    { ts: second(0), task: "a", text: "same", repeated: 1 },
    { ts: second(2), task: "b", text: "same", repeated: 1 },
    { ts: second(4), task: "a", text: "same" },
  ]);
});

Deno.test("a long line is cut in the middle between characters, with the length said", () => {
  const [line] = chosen([`start${"😀".repeat(9_000)}end`], 1_200);
  assert(typeof line === "string" && line.isWellFormed());
  const match = /^(start(?:😀)*)…\[([\d ]+) characters cut\]…((?:😀)*end)$/u
    .exec(line);
  assert(match !== null, line);
  const [, head = "", cut = "", tail = ""] = match;
  const count = [...head].length + [...tail].length +
    Number(cut.replaceAll(" ", ""));
  assert.equal(count, 9_008);
  assert(new TextEncoder().encode(line).length <= lineLimit(1_200));
});

Deno.test("control sequences and control characters are gone", () => {
  assert.deepEqual(
    chosen([
      "\x1b[31mred\x1b[0m\x07 \x1b]8;;http://x\x07link\x1b]8;;\x07\tend",
    ]),
    ["red link\tend"],
  );
});

Deno.test("matches come before what stands around them", () => {
  const budget = new LogBudget({
    maxBytes: AMPLE_BYTES,
    isWhole: false,
    isError: () => false,
  });
  for (const [at, text] of plain(90).entries()) {
    const isContext = at % 3 !== 1;
    budget.add(recordOf(isContext ? text : `hit ${text}`, { at, isContext }));
  }
  budget.end();
  const { elements } = budget.choose(1_500, ONE_TASK_FORM);
  const shown = elements.map(withoutStamp).filter((each) =>
    typeof each === "string"
  );
  const hits = shown.filter((text) => text.startsWith("hit"));
  assert(hits.length > 10, `${hits.length}`);
  assert(hits.length > shown.length / 2, `${hits.length} of ${shown.length}`);
});

Deno.test("what does not follow is parted, by a gap or a separator, within the room", () => {
  const budget = new LogBudget({
    maxBytes: AMPLE_BYTES,
    isWhole: false,
    isError: () => false,
  });
  for (const [at, text] of plain(90).entries()) {
    const place = { isContext: at % 3 !== 1, isApart: at % 3 === 0 };
    budget.add({ ...recordOf(text, { at, ...place }), ...place });
  }
  budget.end();
  const form: BudgetForm<string> = {
    line: (_, text) => [text],
    gap: ({ lines }) => `gap ${lines}`,
    apart: "--",
    sizeOf: (element) => element.length + 1,
    textSize: (text) => text.length,
  };
  for (let room = 100; room <= 1_000; room += 7) {
    const { elements } = budget.choose(room, form);
    assert(`${elements.join("\n")}\n`.length <= room, `${room}`);
    assert.doesNotMatch(
      elements.join("\n"),
      /^--|--$|gap \d+\n--|--\n(?:gap|--)/,
    );
    // Nothing stands between the last line of a group and the first of the next one but what parts them.
    const letters = elements.join("\n").match(/line \w+\nline \w+/g) ?? [];
    for (const two of letters) assert(isWithinGroup(two), two);
  }
  assert.equal(
    budget.choose(10_000, form).elements.filter((each) => each === "--").length,
    29,
  );
});

/** Whether two lines of {@linkcode plain} are of one group of three. */
function isWithinGroup(two: string): boolean {
  const all = plain(90);
  const [first, second] = two.split("\n").map((each) => all.indexOf(each));
  return Math.floor(first! / 3) === Math.floor(second! / 3);
}

const text = fc.oneof(
  { weight: 6, arbitrary: fc.lorem({ maxCount: 8 }) },
  {
    weight: 2,
    arbitrary: fc.string({ unit: "grapheme", maxLength: 60 })
      .map((each) => each.replaceAll(/[\r\n]/g, "")),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom("x", "ü", "😀", '"', "\\", "\x01"),
      fc.nat(6000),
    )
      .map(([unit, count]) => unit.repeat(count)),
  },
  { weight: 2, arbitrary: fc.nat(999).map((n) => `GET /${n} in ${n * 3} ms`) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(9), fc.lorem({ maxCount: 3 })).map(
      ([n, words]) => `\x1b[${31 + n % 7}m${words}\x1b[0m`,
    ),
  },
  { weight: 1, arbitrary: fc.lorem({ maxCount: 4 }).map((w) => `ERROR ${w}`) },
  { weight: 1, arbitrary: fc.constantFrom("", "    at f (x.ts:1:2)", "\t") },
);

const drawn = fc.tuple(
  fc.constantFrom(
    "\x1b[2A",
    "\x1b[1A\x1b[2K",
    "\x1b[1G\x1b[K",
    "\x1b[J",
    "\r",
    "\x1b[1B",
    "\x1b[2J\x1b[H",
  ),
  text,
).map(([move, rest]) => `${move}${rest}`);

/** Runs of lines, so that there are repeats. */
function logOf(line: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  return fc.array(
    fc.tuple(
      line,
      fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, {
        weight: 1,
        arbitrary: fc.nat(40),
      }),
    ).map(([each, count]) => Array.from({ length: count }, () => each)),
    { maxLength: 120 },
  ).map((runs) => runs.flat());
}

interface Counted {
  shown: number;
  gone: number;
  omitted: number;
}

function counted(elements: readonly JsonElement[]): Counted {
  const counts = { shown: 0, gone: 0, omitted: 0 };
  for (const element of elements) {
    if (typeof element === "string") counts.shown++;
    else if ("omitted" in element) counts.omitted += element.omitted.lines;
    else {
      if ("text" in element) counts.shown++;
      counts.gone += (element.repeated ?? 0) + (element.redrawn ?? 0);
    }
  }
  return counts;
}

Deno.test("no answer is larger than its room, and every line is shown or counted", () => {
  fc.assert(
    fc.property(
      logOf(
        fc.oneof({ weight: 4, arbitrary: text }, {
          weight: 1,
          arbitrary: drawn,
        }),
      ),
      fc.integer({ min: 60, max: 6_000 }),
      fc.integer({ min: 0, max: 6_000 }),
      fc.boolean(),
      (lines, room, spent, isWhole) => {
        const budget = budgetOf(lines, { maxBytes: room + spent, isWhole });
        for (const form of [ONE_TASK_FORM, ALL_TASKS_FORM]) {
          const { elements, omitted } = budget.choose(room, form);
          const json = JSON.stringify(elements).slice(1, -1);
          const size = new TextEncoder().encode(json).length;
          assert(size <= room, `${size} of ${room}`);
          assert(JSON.parse(`[${json}]`).length === elements.length);
          const counts = counted(elements);
          const total = counts.shown + counts.gone + counts.omitted;
          assert.equal(total, elements.length === 0 ? 0 : lines.length);
          assert.equal(
            omitted.lines,
            elements.length === 0 ? lines.length : counts.omitted,
          );
          assert(json.isWellFormed());
          // deno-lint-ignore no-control-regex
          assert(!/[\x00-\x1f\x7f-\x9f]/.test(json.replaceAll("\\t", "")));
        }
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("what gaps leave out are exactly the bytes of the file between lines", () => {
  fc.assert(
    fc.property(
      logOf(text),
      fc.integer({ min: 300, max: 3_000 }),
      (lines, room) => {
        const budget = budgetOf(lines);
        const { elements } = budget.choose(room, ONE_TASK_FORM);
        let at = 0;
        for (const element of elements) {
          if (typeof element === "string") at++;
          else if ("omitted" in element) {
            const gap = lines.slice(at, at + element.omitted.lines);
            assert.equal(element.omitted.bytes, bytesOf(gap));
            at += gap.length;
          } else if ("repeated" in element) at += element.repeated ?? 0;
        }
        assert.equal(elements.length === 0 ? lines.length : at, lines.length);
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("a plain line is kept in place of an error only at the ends", () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 50, maxLength: 400 }),
      fc.integer({ min: 1_000, max: 6_000 }),
      (kinds, room) => {
        const names = plain(kinds.length, "");
        const lines = kinds.map((isError, at) =>
          `${isError ? "ERROR" : "info"}${names[at]}`
        );
        const shown = chosen(lines, room).filter((each) =>
          typeof each === "string"
        );
        const errors = shown.filter(isErrorText);
        if (errors.length === kinds.filter(Boolean).length) return;
        // One between two errors takes less room than the gap that would be there.
        const others = shown.filter((line, at) =>
          !isErrorText(line) &&
          !(isErrorText(shown[at - 1] ?? "") &&
            isErrorText(shown[at + 1] ?? ""))
        );
        // The ends have a third of the room; what is left at last is too small for an error with its gap, and two lines
        // between two errors take little more than a gap.
        assert(
          bytesOf(others) + others.length * 3 <= room * 0.35 + 240,
          `${others.length} others, ${errors.length} errors`,
        );
      },
    ),
    { numRuns: RUNS },
  );
});
