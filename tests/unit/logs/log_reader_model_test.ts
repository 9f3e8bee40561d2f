/**
 * Random logs and random questions, answered also by a model that is obviously right: all lines in one list.
 *
 * @module
 */

import assert from "node:assert/strict";
import { compileMatcher } from "../../../src/logs/log_matcher.ts";
import type { LogQuery } from "../../../src/logs/log_query.ts";
import { readLogs } from "../../../src/logs/log_reader.ts";
import {
  LogFolder,
  queryOf,
  START_MS,
  timeOf,
} from "../../support/log_folder.ts";
import { randomFrom } from "../../support/random.ts";

interface ModelLine {
  readonly task: string;
  readonly time: string;
  readonly text: string;
}

const TASKS = ["a", "b", "c"];
const PATTERNS = [null, null, "seven", "^seven", "[^x]seven", "never", "e"];

/** Writes three logs whose times interleave and answers their lines by task. */
function writeLogs(folder: LogFolder, random: () => number): ModelLine[][] {
  return TASKS.map((task) => {
    const lines: ModelLine[] = [];
    let at = 0;
    const count = Math.floor(random() * 400);
    for (let n = 0; n < count; n++) {
      at += Math.floor(random() * 3);
      const filler = random() < 0.02 ? 40_000 : random() * 30;
      const text = `${task}${n} ${n % 7 === 0 ? "seven" : "x"}${
        "é".repeat(filler)
      }`;
      const time = timeOf(START_MS + at);
      const hasTime = n === 0 || random() < 0.9;
      folder.append(task, [hasTime ? `${time} ${text}` : text]);
      const before = lines.at(-1)?.time ?? time;
      lines.push({ task, time: hasTime ? time : before, text });
      if (random() < 0.01) folder.rotate(task, 9);
    }
    return lines;
  });
}

function randomQuery(folder: LogFolder, random: () => number): LogQuery {
  const pick = <T>(values: readonly T[]): T =>
    values[Math.floor(random() * values.length)]!;
  const time = () =>
    random() < 0.6 ? null : START_MS + Math.floor(random() * 500) - 50;
  const [one, other] = [time(), time()];
  const isOrdered = one === null || other === null || one <= other;
  return queryOf(
    TASKS.filter(() => random() < 0.7).map((task) => folder.source(task)),
    {
      lines: pick([null, 0, 1, 5, 50, 1000]),
      grep: pick(PATTERNS),
      sinceMs: isOrdered ? one : other,
      untilMs: isOrdered ? other : one,
    },
  );
}

/** Merges as documented: by time, at equal times in the order of the tasks. */
function modelAnswer(logs: readonly ModelLine[][], query: LogQuery): string[] {
  const matcher = query.grep === null ? null : compileMatcher(query.grep);
  const since = query.sinceMs === null ? "" : timeOf(query.sinceMs);
  const until = query.untilMs === null ? "~" : timeOf(query.untilMs);
  const all = query.sources.flatMap(({ task }) =>
    logs[TASKS.indexOf(task)] ?? []
  )
    .filter(({ time }) => time >= since && time <= until)
    .filter(({ text }) => matcher?.test(text) ?? true);
  // Array.prototype.sort is stable, and times grow within a task.
  all.sort((a, b) => a.time < b.time ? -1 : a.time > b.time ? 1 : 0);
  const cut = query.lines === null ? 0 : Math.max(0, all.length - query.lines);
  return all.slice(cut).map(({ text }) => text);
}

Deno.test("readLogs agrees with a model on random logs and questions", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = randomFrom(seed);
    using folder = new LogFolder();
    const logs = writeLogs(folder, random);
    for (let question = 0; question < 40; question++) {
      const query = randomQuery(folder, random);
      const { records } = await readLogs(query);
      assert.deepEqual(
        records.map(({ text }) => text),
        modelAnswer(logs, query),
        `seed ${seed} question ${question} ${JSON.stringify(query)}`,
      );
    }
  }
});

Deno.test("pages of any size join to the whole answer", async () => {
  for (let seed = 100; seed <= 106; seed++) {
    const random = randomFrom(seed);
    using folder = new LogFolder();
    writeLogs(folder, random);
    const sources = TASKS.map((task) => folder.source(task));
    const context = Math.floor(random() * 3);
    const grep = seed % 2 === 0 ? "seven" : null;
    const whole = await readLogs(queryOf(sources, { grep, context }));
    const read = new Map<string, string[]>();
    let cursor = (await readLogs(queryOf([]))).cursor;
    for (let hasMore = true; hasMore;) {
      const lines = 1 + Math.floor(random() * 40);
      const page = await readLogs(
        queryOf(sources, { grep, context, lines, cursor }),
      );
      for (const { task, raw } of page.records) {
        read.set(task, [...read.get(task) ?? [], raw]);
      }
      ({ cursor, hasMore } = page);
    }
    for (const task of TASKS) {
      assert.deepEqual(
        read.get(task) ?? [],
        whole.records.filter((record) => record.task === task)
          .map(({ raw }) => raw),
        `seed ${seed} task ${task}`,
      );
    }
  }
});
