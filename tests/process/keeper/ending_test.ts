import assert from "node:assert/strict";
import {
  KEEPER_PROTOCOL,
  type TerminateStep,
} from "../../../src/pty/protocol.ts";
import { PROGRAMS, type TestKeeper, testKeeper } from "../../support/keeper.ts";
import {
  childrenOf,
  HAS_PROC,
  lives,
  pidsWithRunId,
} from "../../support/processes.ts";
import { until } from "../../support/until.ts";

const KILL: TerminateStep = { signal: "SIGKILL", waitMs: 1_000 };

/** A program that only SIGKILL ends, and says so when it is ready. */
const STUBBORN =
  `trap "" HUP INT TERM; echo "stubborn $$"; while :; do sleep 1000; done`;

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

/** Waits for a line, in whatever state the run is. */
async function said(
  keeper: TestKeeper,
  runId: string,
  pattern: string,
): Promise<string> {
  const { line } = await keeper.client.request("waitForLine", {
    runId,
    pattern,
    flags: "",
  });
  assert.ok(line !== null, `the run ended without ${pattern}`);
  return line;
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

Deno.test({
  name: "a tree that forks all the time does not escape",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const run = await keeper.spawn([`${PROGRAMS}/fork_storm.sh`]);
    await said(keeper, run.runId, "^storm");
    const result = await keeper.client.request("terminate", {
      runId: run.runId,
      steps: [{ signal: "SIGTERM", waitMs: 50 }, KILL],
    });
    assert.deepEqual(result, { gone: true, survivors: [] });
    assert.deepEqual(pidsWithRunId(run.runId), []);
  },
});

Deno.test("a step sends its signal to every member exactly once", async () => {
  await using keeper = await testKeeper();
  const program = (name: string) =>
    `trap 'echo ${name} got TERM' TERM; echo ${name} ready; ` +
    `while :; do sleep 0.05; done`;
  const run = await keeper.sh(
    `sh -c '${program("child").replaceAll("'", `'\\''`)}' & ${
      program("leader")
    }`,
  );
  await said(keeper, run.runId, "child ready");
  await said(keeper, run.runId, "leader ready");
  await keeper.client.request("terminate", {
    runId: run.runId,
    steps: [{ signal: "SIGTERM", waitMs: 400 }, KILL],
  });
  const got = keeper.lines("task").filter((line) => line.includes("got"));
  assert.deepEqual(got.sort(), ["child got TERM", "leader got TERM"]);
});

Deno.test("a stopped process can act on its signal", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh(
    `trap 'echo bye; exit 4' TERM; echo ready; kill -STOP $$; sleep 1000`,
  );
  await said(keeper, run.runId, "ready");
  const { gone } = await keeper.client.request("terminate", {
    runId: run.runId,
    steps: [{ signal: "SIGTERM", waitMs: 20_000 }, KILL],
  });
  assert.ok(gone);
  const end = await keeper.ended(run.runId);
  assert.deepEqual([end.code, end.tail], [4, ["ready", "bye"]]);
});

Deno.test("members go on through the steps when the leader exits early", async () => {
  await using keeper = await testKeeper();
  const child =
    `trap "" HUP INT; trap "echo child got TERM; exit" TERM; echo ready; ` +
    `while :; do sleep 0.05; done`;
  const run = await keeper.sh(`sh -c '${child}' & trap 'exit 0' INT; wait`);
  await said(keeper, run.runId, "ready");
  const startedAt = Date.now();
  await keeper.client.request("terminate", {
    runId: run.runId,
    steps: [
      { signal: "SIGINT", waitMs: 3_000 },
      { signal: "SIGTERM", waitMs: 20_000 },
      KILL,
    ],
  });
  const end = await keeper.ended(run.runId);
  assert.equal(end.code, 0);
  assert.ok(end.at - startedAt < 2_000, "the leader was gone early");
  assert.ok(Date.now() - startedAt >= 3_000, "the child had its time");
  assert.ok(keeper.lines("task").includes("child got TERM"));
});

Deno.test("a second terminate joins the first and can only shorten it", async () => {
  await using keeper = await testKeeper();
  const patient: TerminateStep[] = [{ signal: "SIGINT", waitMs: 60_000 }, KILL];
  const first = await keeper.sh(STUBBORN, { key: "first" });
  await said(keeper, first.runId, "stubborn");
  const [slow, fast] = await Promise.all([
    keeper.client.request("terminate", { runId: first.runId, steps: patient }),
    keeper.client.request("terminate", { runId: first.runId, steps: [KILL] }),
  ]);
  assert.deepEqual(slow, { gone: true, survivors: [] });
  assert.deepEqual(fast, slow);

  const second = await keeper.sh(STUBBORN, { key: "second" });
  await said(keeper, second.runId, "stubborn");
  const results = await Promise.all([
    keeper.client.request("terminate", {
      runId: second.runId,
      steps: [{ signal: "SIGINT", waitMs: 50 }, KILL],
    }),
    keeper.client.request("terminate", { runId: second.runId, steps: patient }),
  ]);
  assert.ok(results.every((result) => result.gone));
});

Deno.test("terminate without SIGKILL tells who survives, and the run lives on", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.spawn(["/bin/sh", "-c", STUBBORN]);
  await said(keeper, run.runId, "stubborn");
  const { gone, survivors } = await keeper.client.request("terminate", {
    runId: run.runId,
    steps: [{ signal: "SIGINT", waitMs: 50 }],
  });
  assert.ok(!gone);
  assert.ok(survivors.includes(run.pid));
  const { runs } = await keeper.client.request("list", {});
  assert.equal(runs[0]?.ended, null);
});

Deno.test("terminate of an unknown or ended run finds it gone", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh("true");
  await keeper.ended(run.runId);
  for (const runId of [run.runId, "0123456789ab"]) {
    assert.deepEqual(
      await keeper.client.request("terminate", { runId, steps: [KILL] }),
      { gone: true, survivors: [] },
    );
  }
});

Deno.test("signal reaches the members and counts them", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh(
    `trap 'echo hup' HUP; echo ready; while :; do sleep 0.05; done`,
  );
  await said(keeper, run.runId, "ready");
  const { count } = await keeper.client.request("signal", {
    runId: run.runId,
    signal: "SIGHUP",
  });
  assert.ok(count >= 1);
  await said(keeper, run.runId, "hup");
});

Deno.test({
  name: "a stranger that copied the run id is not touched",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const run = await keeper.sh("echo ready; sleep 1000");
    await said(keeper, run.runId, "ready");
    const stranger = new Deno.Command("sleep", {
      args: ["1000"],
      env: { TASKMUX_RUN_ID: run.runId },
    }).spawn();
    try {
      await keeper.client.request("terminate", {
        runId: run.runId,
        steps: [KILL],
      });
      await keeper.client.request("acknowledge", { runIds: [run.runId] });
      const reclaimed = await keeper.client.request("reclaim", {
        runIds: [run.runId],
      });
      assert.deepEqual(reclaimed, { ended: [], survivors: [] });
      assert.ok(lives(stranger.pid));
    } finally {
      stranger.kill("SIGKILL");
      await stranger.status;
    }
  },
});

Deno.test({
  name: "a controller started from within a run does not belong to it",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const run = await keeper.sh(
      `setsid sh -c 'echo "controller $$"; exec sleep 1000' & ` +
        `echo "leader $$"; wait`,
    );
    const pids = await pidsIn(keeper, "task", 2);
    const controller = pids.get("controller") ?? 0;
    await keeper.client.request("introduce", {
      pid: controller,
      protocol: KEEPER_PROTOCOL,
    });
    await keeper.client.request("terminate", {
      runId: run.runId,
      steps: [KILL],
    });
    assert.ok(lives(controller));
    Deno.kill(controller, "SIGKILL");
  },
});

Deno.test({
  name: "orphans that the keeper adopted are reaped when they die",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const run = await keeper.sh(
      `for i in 1 2 3 4 5; do (sh -c 'echo "orphan$0 $$"; sleep 0.2' $i &); done; ` +
        `sleep 1000`,
    );
    const pids = await pidsIn(keeper, "task", 5);
    const orphans = new Set(pids.values());
    await until(
      () =>
        childrenOf(keeper.pid).every((child) => child.pid === run.pid) &&
        [...orphans].every((pid) => !lives(pid)),
      { what: "no orphan is left" },
    );
  },
});
