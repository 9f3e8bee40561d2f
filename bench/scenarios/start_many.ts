/**
 * How long it takes to start many tasks from nothing, and what each of them costs in memory.
 *
 * @module
 */

import { interleave } from "../harness/interleave.ts";
import { type Memory, memory } from "../harness/process_facts.ts";
import {
  allSubjects,
  type Bar,
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf, untilRunning } from "../harness/start_all.ts";
import { median, short } from "../harness/statistics.ts";
import { idleTasks, managerPids, type Subject } from "../subjects/subject.ts";
import { taskmuxCommand } from "../subjects/taskmux.ts";

/** One start. */
interface Start {
  readonly returnedMs: number;
  readonly runningMs: number;
  readonly memory: Memory;
}

/** All starts of one manager. */
interface Side {
  readonly subject: Subject;
  readonly isWarm: boolean;
  /** By the number of tasks. */
  readonly starts: Map<number, Start[]>;
  failure: string | null;
}

/** The scenario. */
export const startMany: Scenario = { name: "start_many", run };

async function run(context: BenchContext): Promise<Section> {
  const sides: Side[] = [
    { subject: context.taskmux, isWarm: true },
    ...allSubjects(context).map((subject) => ({ subject, isWarm: false })),
  ].map((side) => ({ ...side, starts: new Map(), failure: null }));
  const plan = context.quick
    ? [{ count: 1, rounds: 1 }, { count: 100, rounds: 1 }]
    : [
      { count: 1, rounds: 1 },
      { count: 100, rounds: 2 },
      { count: 500, rounds: 1 },
    ];
  for (const { count, rounds } of plan) {
    context.tell(`${count} tasks`);
    await interleave(sides, rounds, async (side) => {
      if (side.failure !== null) return;
      side.failure = await failureOf(side.subject, context.signal, async () => {
        const start = await measure(side, count, context.signal);
        side.starts.set(count, [...side.starts.get(count) ?? [], start]);
      });
    });
  }
  return report(sides, plan.map(({ count }) => count).slice(1));
}

async function measure(
  { subject, isWarm }: Side,
  count: number,
  signal: AbortSignal,
): Promise<Start> {
  await using session = await subject.open(idleTasks(count), { signal });
  if (isWarm) {
    await session.sandbox.act(
      taskmuxCommand(session.sandbox, ["daemon", "start"]),
    );
  }
  const startedAt = performance.now();
  const { ms } = await session.start();
  await untilRunning(session, count, signal);
  const runningMs = performance.now() - startedAt;
  return {
    returnedMs: ms,
    runningMs,
    memory: await memory(await managerPids(session)),
  };
}

function report(sides: readonly Side[], counts: readonly number[]): Section {
  const cold = sides.find(({ subject, isWarm }) =>
    subject.name === "taskmux" && !isWarm
  );
  const timeBars: Bar[] = counts.map((count) =>
    bar(
      `${count} tasks started, daemon cold`,
      timeOf(cold, count) / 1000,
      { atMost: count === 100 ? 1.5 : 8 },
      "s",
    )
  );
  return {
    title: `Start ${counts.join(" and ")} tasks`,
    how: "Tasks are `sleep`. Seconds from spawning the start command, with " +
      "nothing running, to its return; in parentheses until all tasks run, " +
      "where that is later by more than a look at the processes takes. " +
      "Memory per task is what the manager and its helpers (shells around a " +
      "task too, not the `sleep`) hold beyond the same with one task: RSS " +
      "counts shared pages each time, PSS by their share.",
    columns: [
      "",
      ...counts.map((count) => `${count}: s`),
      ...counts.map((count) => `${count}: RSS MB (PSS) per task`),
      "RSS MB with 1 task",
    ],
    rows: sides.map((side) => [
      `${side.subject.name}${side.isWarm ? ", daemon warm" : ""}`,
      ...counts.map((count) => timeText(side, count)),
      ...counts.map((count) => memoryText(side, count)),
      short(median(rss(side, 1))),
    ]),
    bars: [
      ...timeBars,
      ...counts.map((count) =>
        bar(
          `memory per task at ${count}`,
          perTask(cold, count, "rssMb"),
          { atMost: 0.5 },
          "MB",
        )
      ),
    ],
    remarks: sides.flatMap(({ failure }) => failure === null ? [] : [failure]),
  };
}

/** How much later "all run" must be than the return to be told; the look itself takes some time. */
const LATE_MS = 250;

function timeOf(side: Side | undefined, count: number): number {
  return median(
    (side?.starts.get(count) ?? []).map(({ returnedMs, runningMs }) =>
      runningMs - returnedMs > LATE_MS ? runningMs : returnedMs
    ),
  );
}

function timeText(side: Side, count: number): string {
  const starts = side.starts.get(count) ?? [];
  const returned = median(starts.map(({ returnedMs }) => returnedMs));
  const all = timeOf(side, count);
  const text = short(returned / 1000);
  return all - returned > LATE_MS ? `${text} (${short(all / 1000)})` : text;
}

function rss(side: Side | undefined, count: number): number[] {
  return (side?.starts.get(count) ?? []).map(({ memory }) => memory.rssMb);
}

function perTask(
  side: Side | undefined,
  count: number,
  kind: keyof Memory,
): number {
  const of = (tasks: number): number =>
    median((side?.starts.get(tasks) ?? []).map(({ memory }) => memory[kind]));
  return (of(count) - of(1)) / (count - 1);
}

function memoryText(side: Side, count: number): string {
  const [all, own] = [
    perTask(side, count, "rssMb"),
    perTask(side, count, "pssMb"),
  ];
  return `${short(all)} (${short(own)})`;
}
