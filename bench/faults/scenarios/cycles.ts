/**
 * F6 and F7: the same task again and again, and many times at once.
 *
 * @module
 */

import { memory, type ProcessRow } from "../../harness/process_facts.ts";
import {
  type FaultScenario,
  FaultSession,
  pause,
  running,
  see,
} from "../fault_scenario.ts";

const CYCLES_MAX = 100;
const CYCLES_WARM = 5;
const BUDGET_MS = 60_000;
const STARTS = 50;
const SETTLE_MS = 3_000;

/** F6. */
export const cycles: FaultScenario = {
  name: "F6",
  title: "100 cycles of `stop` and `start`",
  how: "As many as one minute allows, at most 100. What all processes of the " +
    "manager have gained since the fifth: descriptors, zombies, memory.",
  async run(subject, signal) {
    const sleep = uniqueSleep();
    await using session = await FaultSession.open(subject, [
      { name: "web", command: `exec ${sleep}`, isOnce: true },
    ], signal);
    await session.session.start();
    await see("task", async () => (await running(sleep)).length === 1);
    const deadline = performance.now() + BUDGET_MS;
    let before = await cost(session, sleep);
    let count = 0;
    while (count < CYCLES_MAX && performance.now() < deadline) {
      await session.act("stop", "web");
      await see("end", async () => (await running(sleep)).length === 0);
      await session.act("start", "web");
      await see("task", async () => (await running(sleep)).length === 1);
      if (++count === CYCLES_WARM) before = await cost(session, sleep);
    }
    const after = await cost(session, sleep);
    const grown = Math.round(after.rssMb - before.rssMb);
    const fds = after.descriptors - before.descriptors;
    return `${count} cycles: ${signed(fds)} descriptors, ` +
      `${after.zombies} zombies, ${signed(grown)} MB`;
  },
};

/** F7. */
export const concurrentStarts: FaultScenario = {
  name: "F7",
  title: "50 concurrent `start` of one task",
  how: "The task is stopped first. How many processes of it run 3 s later.",
  async run(subject, signal) {
    const sleep = uniqueSleep();
    await using session = await FaultSession.open(subject, [
      { name: "web", command: `exec ${sleep}`, isOnce: true },
    ], signal);
    await session.session.start();
    await see("task", async () => (await running(sleep)).length === 1);
    await session.act("stop", "web");
    await see("end", async () => (await running(sleep)).length === 0);
    await Promise.all(
      Array.from({ length: STARTS }, () => session.act("start", "web")),
    );
    await pause(SETTLE_MS);
    const { length } = await running(sleep);
    return `${length} process${length === 1 ? "" : "es"}`;
  },
};

function uniqueSleep(): string {
  return `sleep ${1e6 + crypto.getRandomValues(new Uint16Array(1))[0]!}`;
}

function signed(number: number): string {
  return number < 0 ? String(number) : `+${number}`;
}

interface Cost {
  readonly descriptors: number;
  readonly zombies: number;
  readonly rssMb: number;
}

/** Of everything that the manager runs beside the task. */
async function cost(session: FaultSession, sleep: string): Promise<Cost> {
  const rows = await session.session.sandbox.processes();
  const own = rows.filter(({ args }) => args !== sleep);
  const pids = own.map(({ pid }) => pid);
  return {
    descriptors: await countDescriptors(own),
    zombies: await countZombies(pids),
    rssMb: (await memory(pids)).rssMb,
  };
}

async function countDescriptors(rows: readonly ProcessRow[]): Promise<number> {
  const folders = rows.map(({ pid }) => `/proc/${pid}/fd`);
  const text = await print("ls", ["-1", ...folders]);
  return text.split("\n").filter((line) => /^\d+$/.test(line)).length;
}

async function countZombies(parents: readonly number[]): Promise<number> {
  const text = await print("ps", ["-e", "-o", "ppid=,stat="]);
  return text.split("\n").filter((line) => {
    const [ppid, stat] = line.trim().split(/\s+/);
    return stat?.startsWith("Z") === true && parents.includes(Number(ppid));
  }).length;
}

async function print(program: string, args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}
