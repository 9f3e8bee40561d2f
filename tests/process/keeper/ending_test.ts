import assert from "node:assert/strict";
import type { TerminateStep } from "../../../src/pty/protocol.ts";
import { PROGRAMS, type TestKeeper, testKeeper } from "../../support/keeper.ts";
import { childrenOf, HAS_PROC, lives } from "../../support/processes.ts";
import { until } from "../../support/until.ts";

const KILL: TerminateStep = { signal: "SIGKILL", waitMs: 1_000 };

/** Pids by the first word of lines "WORD PID" in a log, as soon as there are so many. */
async function pidsIn(
  keeper: TestKeeper,
  key: string,
  count: number,
): Promise<Map<string, number>> {
  return await until(() => {
    const found = keeper.lines(key).flatMap((line) => {
      const match = /^([\w-]+) (\d+)$/.exec(line);
      return match === null
        ? []
        : [[match[1] ?? "", Number(match[2])] as const];
    });
    return found.length >= count && new Map(found);
  }, { what: `${count} pids in the log of ${key}` });
}

Deno.test({
  name: "terminate leaves none of the five kinds of descendants",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const run = await keeper.spawn([`${PROGRAMS}/five_kinds.sh`]);
    const pids = await pidsIn(keeper, "task", 5);
    assert.equal(pids.size, 5);
    const { processes } = await keeper.client.request("processes", {
      runId: run.runId,
    });
    assert.equal(processes[0]?.pid, run.pid);
    const members = processes.map((process) => process.pid);
    for (const [kind, pid] of pids) assert.ok(members.includes(pid), kind);
    const result = await keeper.client.request("terminate", {
      runId: run.runId,
      steps: [{ signal: "SIGTERM", waitMs: 100 }, KILL],
    });
    assert.deepEqual(result, { gone: true, survivors: [] });
    for (const pid of members) assert.ok(!lives(pid), `${pid} survives`);
    const end = await keeper.ended(run.runId);
    assert.equal(end.signal, "SIGTERM");
  },
});

Deno.test({
  name: "a leader that dies by itself takes all five kinds with it",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const run = await keeper.spawn([`${PROGRAMS}/five_kinds.sh`]);
    const pids = await pidsIn(keeper, "task", 5);
    await keeper.client.request("write", { runId: run.runId, data: "go\n" });
    const end = await keeper.ended(run.runId);
    for (const [kind, pid] of pids) {
      assert.ok(!lives(pid), `${kind} survives`);
      assert.ok(end.leftovers.includes(pid), `${kind} is told`);
    }
    assert.equal(end.code, 7);
  },
});
