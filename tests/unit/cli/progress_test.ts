import assert from "node:assert/strict";
import { withLiveBlock } from "../../../src/cli/live_block.ts";
import {
  addProgress,
  goalOf,
  progressLines,
  type ProgressModel,
  startProgress,
} from "../../../src/cli/render/progress.ts";
import { textWidth } from "../../../src/cli/render/text.ts";
import type { Progress } from "../../../src/contract/wire.ts";
import type { Clock } from "../../../src/kit/clock.ts";
import { PLAIN } from "./_samples.ts";

function modelOf(
  steps: readonly (readonly [atMs: number, progress: Progress])[],
): ProgressModel {
  return steps.reduce(
    (model, [atMs, progress]) => addProgress(model, progress, atMs),
    startProgress("Starting", 0),
  );
}

function lines(
  model: ProgressModel,
  nowMs: number,
  size: { width?: number; height?: number } = {},
): string[] {
  const { width = 80, height = 24 } = size;
  return progressLines(model, { nowMs, width, height, paint: PLAIN });
}

Deno.test("progressLines() before anything was heard", () => {
  assert.deepEqual(lines(startProgress("Stopping", 0), 340), [
    "Stopping (300ms)",
  ]);
});

Deno.test("progressLines() tells who waits for whom, and for how long", () => {
  const model = modelOf([
    [0, { task: "db", state: "starting" }],
    [0, {
      task: "website",
      state: "waiting",
      waiting_for: [{ task: "db", condition: "healthy" }, {
        task: "migrate",
        condition: "completed",
      }],
    }],
    [100, { task: "migrate", state: "failed", message: "exited with code 1" }],
    [1500, { task: "db", state: "healthy" }],
  ]);
  assert.deepEqual(lines(model, 2_360), [
    "Starting 2/3 (2.3s)",
    "  ✓ db       healthy",
    "  · website  waiting for db (healthy), migrate (completed) 2.3s",
    "  ✗ migrate  failed: exited with code 1",
  ]);
});

Deno.test("progressLines() calls only that done which is waited for", () => {
  const view = (condition: string, state: string): string[] => {
    const model = startProgress("Waiting", 0, goalOf(condition));
    return lines(addProgress(model, { task: "api", state }, 100), 1_200);
  };
  assert.deepEqual(view("healthy", "healthy"), [
    "Waiting 1/1 (1.2s)",
    "  ✓ api  healthy",
  ]);
  assert.deepEqual(view("stopped", "healthy"), [
    "Waiting 0/1 (1.2s)",
    "  · api  healthy 1.1s",
  ]);
  assert.deepEqual(view("stopped", "failed"), [
    "Waiting 1/1 (1.2s)",
    "  ✓ api  failed",
  ]);
  assert.deepEqual(view("log:/ready: yes/", "running"), [
    "Waiting (1.2s)",
    "  · api  running 1.1s",
  ]);
  assert.deepEqual(view("port", "failed"), [
    "Waiting (1.2s)",
    "  ✗ api  failed",
  ]);
});

Deno.test("progressLines() counts time from when a state began", () => {
  const model = modelOf([
    [0, { task: "a", state: "waiting" }],
    [1_000, { task: "a", state: "starting" }],
    [3_000, { task: "a", state: "starting", message: "probing" }],
  ]);
  assert.deepEqual(lines(model, 4_000).slice(1), [
    "  · a  starting 3s: probing",
  ]);
});

Deno.test("progressLines() stays inside the terminal", () => {
  const model = modelOf(
    Array.from({ length: 50 }, (_, index) => [0, {
      task: `task-${index}`,
      state: index < 45 ? "healthy" : "starting",
      message: "m".repeat(200),
    }]),
  );
  for (
    const size of [{ width: 80, height: 24 }, { width: 20, height: 5 }, {
      width: 200,
      height: 100,
    }]
  ) {
    const shown = lines(model, 0, size);
    assert(shown.length < size.height, `${shown.length} of ${size.height}`);
    for (const line of shown) assert(textWidth(line) < size.width, line);
  }
});

Deno.test("progressLines() shows those on their way before those that are done", () => {
  const model = modelOf(
    Array.from({ length: 30 }, (_, index) => [0, {
      task: `t${String(index).padStart(2, "0")}`,
      state: index === 3 ? "waiting" : "healthy",
    }]),
  );
  const shown = lines(model, 0, { height: 8 });
  assert.deepEqual(shown, [
    "Starting 29/30 (0ms)",
    "  · t03  waiting 0ms",
    "  ✓ t26  healthy",
    "  ✓ t27  healthy",
    "  ✓ t28  healthy",
    "  ✓ t29  healthy",
    "  and 25 more",
  ]);
});

/** A clock on which as many sleeps end as the test takes steps. */
function steppedClock(): Clock & { step(): void } {
  let steps = 0;
  let wake: (() => void) | null = null;
  return {
    now: () => 0,
    monotonic: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
        if (steps === 0) wake = resolve;
        else {
          steps--;
          resolve();
        }
      }),
    step: () => {
      if (wake === null) steps++;
      wake?.();
      wake = null;
    },
  };
}

Deno.test("withLiveBlock() draws over what it drew before, and takes it away", async () => {
  const clock = steppedClock();
  const written: string[] = [];
  const drawn: PromiseWithResolvers<void>[] = [
    Promise.withResolvers(),
    Promise.withResolvers(),
    Promise.withResolvers(),
  ];
  let frame = 0;
  const result = await withLiveBlock({
    clock,
    render: () => frame === 0 ? ["a", "b"] : ["c"],
    write: (text) => {
      written.push(text);
      drawn[written.length - 1]?.resolve();
      return Promise.resolve();
    },
  }, async () => {
    clock.step();
    await drawn[0]?.promise;
    frame = 1;
    clock.step();
    await drawn[1]?.promise;
    return 42;
  });
  assert.equal(result, 42);
  assert.deepEqual(written, [
    "a\nb\n",
    "\x1b[2A\r\x1b[Jc\n",
    "\x1b[1A\r\x1b[J",
  ]);
});

Deno.test("withLiveBlock() draws nothing of work that is over at once", async () => {
  const written: string[] = [];
  const work = withLiveBlock({
    clock: steppedClock(),
    render: () => ["a"],
    write: (text) => {
      written.push(text);
      return Promise.resolve();
    },
  }, () => Promise.reject(new Error("no")));
  await assert.rejects(work, /no/);
  assert.deepEqual(written, []);
});
