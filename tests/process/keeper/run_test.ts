import assert from "node:assert/strict";
import { testKeeper } from "../../support/keeper.ts";

Deno.test("a run tells its exit code, its last lines and leaves its output in the log", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh("echo one; echo two; exit 3");
  const end = await keeper.ended(run.runId);
  assert.deepEqual({ ...end, at: 0 }, {
    code: 3,
    signal: null,
    at: 0,
    leftovers: [],
    tail: ["one", "two"],
  });
  assert.deepEqual(keeper.lines("task"), ["one", "two"]);
});
