/**
 * Starting and stopping again and again, and what a machine pays for it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { connect } from "../../src/client/client.ts";
import { childrenOf, descriptorsOf, memoryOf } from "./processes.ts";
import type { Taskmux } from "./taskmux.ts";
import { until } from "./until.ts";

const MIB = 1024 * 1024;

/** Tasks that go up and down together: one round is so many cycles. */
const TASKS = 10;

/**
 * Part of the rounds after which caches, compiled code and heaps have the size they keep: V8 lets a heap grow for some
 * thousand runs, then holds it.
 */
const WARM_PART = 0.25;

/** What a heap may grow by without being a leak: the collector has its own pace. */
const HEAP_SLACK_BYTES = 64 * MIB;

/** What events and runs of one cycle may take on disk, side files and mirror included. */
const STORED_BYTES_PER_CYCLE = 4 * 1024;

/** What taskmux takes of a machine. */
export interface Footprint {
  readonly daemonBytes: number;
  readonly keeperBytes: number;
  readonly daemonDescriptors: number;
  readonly keeperDescriptors: number;
  /** Terminals that the keeper has open. */
  readonly terminals: number;
  /** Dead children that nobody has reaped, of both. */
  readonly zombies: number;
  readonly files: number;
  readonly stateBytes: number;
}

/**
 * Starts and stops ten tasks over one connection until there were so many cycles, and checks that nothing grew but the
 * history.
 *
 * @returns What it took when everything was warm, and in the end.
 */
export async function checkCycles(
  taskmux: Taskmux,
  cycles: number,
): Promise<{ readonly warm: Footprint; readonly end: Footprint }> {
  const project = await taskmux.project(
    `name = "cycles"\n` + Array.from({ length: TASKS }, (_, n) => `
[tasks.t${n}]
command = "echo up; (exit 3) & exec sleep 1000"
`).join(""),
  );
  await project.ok(["start"]);
  await project.ok(["stop"]);
  const keeper = await keeperPid(taskmux);
  await using client = await connect(taskmux.home.paths.daemonSocket);
  assert(client !== null);
  const daemon = client.hello.pid;
  const scope = { config: project.config };
  const act = async (operation: "task.start" | "task.stop"): Promise<void> => {
    const answer = await client.call(operation, { scope });
    assert.equal(answer.ok, true, JSON.stringify(answer));
  };
  const measure = () => footprintOf(taskmux, { daemon, keeper });
  let warm: Footprint | null = null;
  const rounds = Math.ceil(cycles / TASKS);
  const warmRounds = Math.ceil(rounds * WARM_PART);
  for (let round = 0; round < rounds; round++) {
    if (round === warmRounds) warm = await measure();
    await act("task.start");
    await act("task.stop");
  }
  assert(warm !== null);
  await until(async () => (await measure()).zombies === 0, {
    what: "the dead are reaped",
  });
  const end = await measure();
  const since = cycles - warmRounds * TASKS;
  const storedBytes = since * STORED_BYTES_PER_CYCLE + 8 * MIB;
  const facts = JSON.stringify({ warm, end });
  assert(end.daemonBytes < warm.daemonBytes + HEAP_SLACK_BYTES, facts);
  assert(end.keeperBytes < warm.keeperBytes + HEAP_SLACK_BYTES, facts);
  assert(end.daemonDescriptors <= warm.daemonDescriptors + 4, facts);
  assert(end.keeperDescriptors <= warm.keeperDescriptors + 4, facts);
  assert.equal(end.terminals, 0, facts);
  assert(end.files <= warm.files + 2, facts);
  assert(end.stateBytes < warm.stateBytes + storedBytes, facts);
  return { warm, end };
}

/** Pid of the keeper, which must run. */
export async function keeperPid(taskmux: Taskmux): Promise<number> {
  const found = (await taskmux.processes()).find(({ command }) =>
    command.includes("src/keeper/main.ts")
  );
  assert(found !== undefined, "a keeper runs");
  return found.pid;
}

async function footprintOf(
  taskmux: Taskmux,
  { daemon, keeper }: { readonly daemon: number; readonly keeper: number },
): Promise<Footprint> {
  const keeperOpen = descriptorsOf(keeper);
  const files = await sizesIn(taskmux.home.home);
  return {
    daemonBytes: memoryOf(daemon),
    keeperBytes: memoryOf(keeper),
    daemonDescriptors: descriptorsOf(daemon).length,
    keeperDescriptors: keeperOpen.length,
    terminals: keeperOpen.filter((path) => path.endsWith("/ptmx")).length,
    zombies: [...childrenOf(daemon), ...childrenOf(keeper)]
      .filter(({ state }) => state === "Z").length,
    files: files.length,
    stateBytes: files.reduce((sum, size) => sum + size, 0),
  };
}

/** Sizes of all files under a folder. */
async function sizesIn(folder: string): Promise<number[]> {
  const sizes: number[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) sizes.push(...await sizesIn(path));
    else sizes.push((await Deno.lstat(path)).size);
  }
  return sizes;
}
