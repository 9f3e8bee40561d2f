import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { newRunId, testKeeper } from "../../support/keeper.ts";
import { descriptorsOf, HAS_PROC } from "../../support/processes.ts";
import { until } from "../../support/until.ts";

Deno.test("a run tells its exit, its last lines and leaves its output in the log", async () => {
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
  assert.equal(Deno.statSync(keeper.logOf("task")).mode! & 0o777, 0o600);
});

Deno.test("a run ends with a code or a signal", async () => {
  await using keeper = await testKeeper();
  const cases = [
    ["exit 0", 0, null],
    ["exit 255", 255, null],
    ["kill -TERM $$", null, "SIGTERM"],
    ["kill -KILL $$", null, "SIGKILL"],
    ["kill -ABRT $$", null, "SIGABRT"],
  ] as const;
  for (const [command, code, signal] of cases) {
    const run = await keeper.sh(command);
    const end = await keeper.ended(run.runId);
    assert.deepEqual([end.code, end.signal], [code, signal], command);
  }
});

Deno.test("a run has a terminal of its own and the environment it was given", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh(
    `stty size; echo "$TERM"; echo "$TASKMUX_RUN_ID"; echo "$GIVEN"; pwd; ` +
      `echo "$PWD"; test -t 0 && echo tty; echo controlled > /dev/tty`,
    { env: { PATH: "/usr/bin:/bin", GIVEN: "grün", TERM: "dumb" } },
  );
  const end = await keeper.ended(run.runId);
  const { work } = keeper.home;
  assert.deepEqual(end.tail, [
    "48 160",
    "xterm-256color",
    run.runId,
    "grün",
    work,
    work,
    "tty",
    "controlled",
  ]);
});

Deno.test("what cannot be started says why", async () => {
  await using keeper = await testKeeper();
  await Deno.writeTextFile(`${keeper.home.work}/plain.txt`, "no program");
  const cases = [
    [["nosuchprogram"], {}, /no such program/],
    [["./plain.txt"], {}, /plain\.txt" is not executable/],
    [["/nonexistent/x"], {}, /no such program/],
    [["true"], { cwd: "/nonexistent" }, /"\/nonexistent" does not exist/],
    [["true"], { env: { PATH: "/nonexistent" } }, /no such program/],
  ] as const;
  for (const [argv, options, message] of cases) {
    await assert.rejects(
      keeper.spawn([...argv] as [string], options),
      (error) => {
        assert.ok(error instanceof TaskmuxError);
        assert.equal(error.code, "E403");
        assert.match(error.message, message);
        return true;
      },
    );
  }
  const { runs } = await keeper.client.request("list", {});
  assert.deepEqual(runs, []);
});

Deno.test("programs are found as exec finds them", async () => {
  await using keeper = await testKeeper();
  await Deno.writeTextFile(`${keeper.home.work}/tool`, "#!/bin/sh\necho $0\n", {
    mode: 0o755,
  });
  const { work } = keeper.home;
  for (
    const [program, path] of [["./tool", ""], ["tool", `/usr/bin:${work}`]]
  ) {
    const run = await keeper.spawn([program ?? ""], {
      env: { PATH: path ?? "" },
    });
    const end = await keeper.ended(run.runId);
    assert.deepEqual(end.tail, [`${work}/tool`]);
  }
});

Deno.test({
  name: "runs and failed starts leave no descriptor behind",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const count = () => descriptorsOf(keeper.pid).length;
    const first = await keeper.sh("true");
    await keeper.ended(first.runId);
    const before = await until(count);
    for (let index = 0; index < 30; index++) {
      await keeper.sh("true", { cwd: "/nonexistent" }).catch(
        (error: TaskmuxError) => assert.equal(error.code, "E403"),
      );
      const run = await keeper.sh("echo hi", { key: `task${index % 3}` });
      await keeper.ended(run.runId);
    }
    await until(() => count() <= before, { what: "descriptors are back" });
    assert.ok(!descriptorsOf(keeper.pid).includes("/dev/ptmx"));
  },
});

Deno.test({
  name: "a program inherits nothing of the keeper but its terminal",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    await keeper.sh("sleep 1000", { key: "other" });
    const run = await keeper.sh(
      "for fd in /proc/$$/fd/*; do readlink $fd; done; ulimit -Sn; " +
        "sed -n 's/^Max file locks *//p' /proc/self/limits; " +
        "sed -n s/SigIgn://p /proc/self/status",
    );
    const end = await keeper.ended(run.runId);
    const here = new Deno.Command("sh", { args: ["-c", "ulimit -Sn"] });
    const soft = new TextDecoder().decode(here.outputSync().stdout).trim();
    const own = end.tail.filter((line) => !/^\/(dev\/pts|proc)\//.test(line));
    assert.equal(own.length, 3, own.join("\n"));
    assert.equal(own[0], soft);
    // The run's tag is the one thing that all descendants carry.
    const tag = String(Number.parseInt(run.runId, 16));
    assert.ok(own[1]?.startsWith(`${tag} `), own[1]);
    const ignored = BigInt(`0x${own[2]?.trim()}`);
    assert.equal(ignored & 0x7fff_ffffn, 0n, "no ordinary signal is ignored");
  },
});

Deno.test("a program that closes its terminal lives on and may come back to it", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh(
    "exec </dev/null >/dev/null 2>&1; sleep 0.3; echo back > /dev/tty; exit 5",
  );
  const end = await keeper.ended(run.runId);
  assert.deepEqual([end.code, end.signal, end.tail], [5, null, ["back"]]);
});

Deno.test("keystrokes, size and replay reach the terminal of a run", async () => {
  await using keeper = await testKeeper();
  const { client } = keeper;
  const run = await keeper.sh("cat; stty size");
  const { runId } = run;
  await client.request("write", { runId, data: "typed 🦕\r" });
  // Once by the terminal's echo, once by cat.
  await until(() => keeper.lines("task").length === 2);
  await client.request("resize", { runId, cols: 100, rows: 30 });
  await client.request("write", { runId, data: "\x04" });
  await keeper.ended(runId);
  assert.deepEqual(keeper.lines("task"), ["typed 🦕", "typed 🦕", "30 100"]);
  const { data } = await client.request("replay", { runId });
  assert.equal(data, "typed 🦕\r\ntyped 🦕\r\n30 100\r\n");
});

Deno.test("list tells of living and of ended runs until they are acknowledged", async () => {
  await using keeper = await testKeeper();
  const { client } = keeper;
  const short = await keeper.sh("exit 1", { key: "short" });
  const long = await keeper.sh("sleep 1000", { key: "long" });
  const end = await keeper.ended(short.runId);
  const list = async () =>
    (await client.request("list", {})).runs.map((run) => {
      assert((run.ageMs ?? -1) >= 0);
      return { ...run, ageMs: 0 };
    });
  const [shortRun, longRun] = [short, long].map((run) => ({
    ...run,
    ageMs: 0,
  }));
  assert.deepEqual(await list(), [{ ...shortRun, ended: end }, longRun]);
  await client.request("acknowledge", {
    runIds: [short.runId, long.runId, "0123456789ab"],
  });
  assert.deepEqual(await list(), [longRun]);
  assert.ok(Math.abs(long.startedAt - Date.now()) < 60_000);
  assert.match(long.startTime, /^[1-9]\d*$/);
});

Deno.test("requests that make no sense are refused with the reason", async () => {
  await using keeper = await testKeeper();
  const { client } = keeper;
  const run = await keeper.sh("sleep 1000");
  const { runId } = run;
  const refused = async (request: Promise<unknown>, code: string) => {
    await assert.rejects(request, (error: TaskmuxError) => {
      assert.equal(error.details?.keeper_code, code, error.message);
      return true;
    });
  };
  await refused(keeper.sh("true", { runId }), "invalid");
  await refused(keeper.sh("true", { runId: "UPPERCASE123" }), "invalid");
  await refused(keeper.sh("true", { cwd: "relative" }), "invalid");
  await refused(keeper.sh("true", { env: { "A=B": "x" } }), "invalid");
  await refused(keeper.sh("true", { env: { A: "x\0y" } }), "invalid");
  await refused(client.request("signal", { runId, signal: "NO" }), "invalid");
  await refused(client.request("terminate", { runId, steps: [] }), "invalid");
  await refused(
    client.request("resize", { runId, cols: 0, rows: 1 }),
    "invalid",
  );
  await refused(client.request("replay", { runId: newRunId() }), "unknown_run");
  await refused(client.request("shutdown", {}), "busy");
  await refused(client.request("nonsense" as "list", {}), "invalid");
});

Deno.test("a hundred runs start within seconds", async () => {
  await using keeper = await testKeeper();
  const startedAt = performance.now();
  const runs = await Promise.all(
    Array.from(
      { length: 100 },
      (_, index) =>
        keeper.sh("echo ready; sleep 1000", { key: `task${index}` }),
    ),
  );
  const ms = performance.now() - startedAt;
  assert.ok(ms < 5_000, `${ms} ms`);
  const ready = runs.map(({ runId }) =>
    keeper.client.request("waitForLine", { runId, pattern: "ready", flags: "" })
  );
  assert.ok((await Promise.all(ready)).every(({ line }) => line === "ready"));
});
