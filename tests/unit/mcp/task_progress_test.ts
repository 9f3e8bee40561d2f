/**
 * Progress of actions on tasks.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TaskProgress } from "../../../src/mcp/task_progress.ts";

Deno.test("progress goes up whatever tasks do, and total is how many there are", () => {
  const progress = new TaskProgress();
  const words = [
    ["db", "starting"],
    ["web", "waiting"],
    ["web", "waiting"],
    ["db", "running"],
    ["db", "healthy"],
    ["web", "starting"],
    ["web", "backoff"],
    ["web", "starting"],
    ["web", "healthy"],
  ] as const;
  const told = words.map(([task, state]) =>
    progress.next({
      task,
      state,
      ...state === "waiting"
        ? { waiting_for: [{ task: "db", condition: "healthy" }] }
        : {},
    })
  );
  assert.deepEqual(told.map((each) => [each.progress, each.total]), [
    [0.5, 1],
    [0.6, 2],
    [0.61, 2],
    [0.9, 2],
    [1.1, 2],
    [1.5, 2],
    [1.51, 2],
    [1.52, 2],
    [2, 2],
  ]);
  assert.equal(told[1]?.message, "web waiting: for db healthy");
  assert.equal(told[8]?.message, "web healthy");
});
