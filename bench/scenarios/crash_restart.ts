/**
 * How long a task is away when its process is killed.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Announcements } from "../harness/announcements.ts";
import { interleave } from "../harness/interleave.ts";
import { Sandbox } from "../harness/sandbox.ts";
import {
  allSubjects,
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import type { BenchTask, Session, Subject } from "../subjects/subject.ts";

const ANNOUNCE = fileURLToPath(
  new URL("../programs/announce.sh", import.meta.url),
);

/** How long a task may take to announce itself at the start. */
const START_MS = 20_000;

/** How long a restart is waited for. */
const RESTART_MS = 15_000;

/** A manager may spend this much of the measurement, so that a slow one does not hold up the others. */
const BUDGET_MS = 45_000;

/** A manager with its tasks. */
interface Side {
  readonly subject: Subject;
  readonly session: Session;
  readonly pipe: Announcements;
  /** Pids of tasks that have not been killed yet, by name. */
  readonly alive: Map<string, number>;
  readonly samples: number[];
  lost: number;
  spentMs: number;
}

/** The scenario. */
export const crashRestart: Scenario = { name: "crash_restart", run };

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const { signal } = context;
  const kills = context.quick ? 6 : 20;
  const pipes = stack.use(await Sandbox.create(signal));
  const sides: Side[] = [];
  const failures: string[] = [];
  for (const subject of allSubjects(context)) {
    const failure = await failureOf(subject, signal, async () => {
      const pipe = stack.use(
        await Announcements.open(`${pipes.root}/${sides.length}.pipe`),
      );
      const tasks = announcingTasks(kills, pipe.path);
      const session = stack.use(
        await subject.open(tasks, { signal, isEager: true }),
      );
      await session.start();
      const alive = new Map<string, number>();
      for (const { name } of tasks) {
        alive.set(name, await pidOf(pipe, name, START_MS));
      }
      sides.push({
        subject,
        session,
        pipe,
        alive,
        samples: [],
        lost: 0,
        spentMs: 0,
      });
    });
    if (failure !== null) failures.push(failure);
  }
  await interleave(sides, kills / 2, (side) => {
    signal.throwIfAborted();
    return killOne(side);
  });
  return report(sides, failures);
}

function announcingTasks(count: number, pipe: string): BenchTask[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `crash${index}`,
    command: `exec /bin/sh ${ANNOUNCE} ${pipe} crash${index}`,
  }));
}

async function killOne(side: Side): Promise<void> {
  const [next] = side.alive;
  if (next === undefined || side.spentMs > BUDGET_MS) return;
  const [name, pid] = next;
  side.alive.delete(name);
  const killedAt = performance.now();
  Deno.kill(pid, "SIGKILL");
  const answer = await side.pipe.take(isFrom(name), RESTART_MS);
  side.spentMs += performance.now() - killedAt;
  if (answer === null) side.lost++;
  else side.samples.push(answer.at - killedAt);
}

async function pidOf(
  pipe: Announcements,
  name: string,
  timeoutMs: number,
): Promise<number> {
  const answer = await pipe.take(isFrom(name), timeoutMs);
  if (answer === null) throw new Error(`task "${name}" does not come up`);
  return Number.parseInt(answer.text);
}

function isFrom(name: string): (text: string) => boolean {
  return (text) => text.endsWith(` ${name}`);
}

function report(sides: readonly Side[], failures: readonly string[]): Section {
  const own = sides.find(({ subject }) => subject.name === "taskmux");
  return {
    title: "Crash to running again",
    how: "`kill -9` of a task's process, until its successor says its pid " +
      "into a named pipe. Each task is killed once, so what is measured is " +
      "the first restart, before any backoff. Managers are tuned for quick " +
      "restarts as far as they let one.",
    columns: ["", "p50 ms", "p90", "max", "kills", "not back in 15 s"],
    rows: sides.map(({ subject, samples, lost }) => [
      subject.name,
      short(median(samples)),
      short(quantile(samples, 0.9)),
      short(quantile(samples, 1)),
      String(samples.length + lost),
      String(lost),
    ]),
    bars: [
      bar(
        "p50 of the first restart",
        median(own?.samples ?? []),
        { atMost: 50 },
        "ms",
      ),
    ],
    remarks: failures,
  };
}
