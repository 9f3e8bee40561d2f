/**
 * What 20 tasks that do nothing cost.
 *
 * @module
 */

import { cpuMs, memory } from "../harness/process_facts.ts";
import {
  allSubjects,
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { startAll } from "../harness/start_all.ts";
import { short } from "../harness/statistics.ts";
import { idleTasks, managerPids } from "../subjects/subject.ts";

const TASKS = 20;

/** Until what the start set off has calmed down. */
const SETTLE_MS = 5_000;

/** The scenario. */
export const idleCost: Scenario = { name: "idle_cost", run };

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const { signal } = context;
  const { running, failures } = await startAll(
    allSubjects(context),
    idleTasks(TASKS),
    stack,
    { signal },
  );
  await pause(SETTLE_MS, signal);
  const overMs = context.quick ? 10_000 : 60_000;
  context.tell(`${overMs / 1000} s of idling`);
  const sides = await Promise.all(
    running.map(async ({ subject, session }) => {
      const pids = await managerPids(session);
      return { name: subject.name, pids, before: await cpuMs(pids) };
    }),
  );
  const startedAt = performance.now();
  await pause(overMs, signal);
  const passedMs = performance.now() - startedAt;
  const found = await Promise.all(sides.map(async (side) => ({
    ...side,
    percent: (await cpuMs(side.pids) - side.before) / passedMs * 100,
    memory: await memory(side.pids),
  })));
  const own = found.find(({ name }) => name === "taskmux");
  return {
    title: `Idle cost of ${TASKS} tasks`,
    how:
      `Processor time of the manager and its helpers over ${
        overMs / 1000
      } s in which nobody asks anything, all managers in the same time; ` +
      "memory after it.",
    columns: ["", "% of a core", "RSS MB", "PSS MB", "processes"],
    rows: found.map(({ name, percent, memory, pids }) => [
      name,
      percent.toFixed(3),
      short(memory.rssMb),
      short(memory.pssMb),
      String(pids.length),
    ]),
    bars: [
      bar("processor", own?.percent ?? NaN, { atMost: 0.5 }, "% of a core"),
      bar("memory, RSS", own?.memory.rssMb ?? NaN, { atMost: 150 }, "MB"),
    ],
    remarks: failures,
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const id = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(id);
  signal.throwIfAborted();
}
