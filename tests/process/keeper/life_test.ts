import assert from "node:assert/strict";
import { dirname } from "node:path";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { FrameConnection } from "../../../src/kit/frames.ts";
import { KeeperClient } from "../../../src/pty/keeper_client.ts";
import { KEEPER_PROTOCOL } from "../../../src/pty/protocol.ts";
import {
  PROGRAMS,
  type TestKeeper,
  testKeeper,
  testKeeperCommand,
} from "../../support/keeper.ts";
import { testDenoDirectory } from "../../support/deno_flags.ts";
import {
  HAS_PROC,
  lives,
  pidsWithRunId,
  testLibc,
} from "../../support/processes.ts";
import { type TempHome, tempHome } from "../../support/temp_home.ts";
import { until } from "../../support/until.ts";

const STUBBORN =
  `trap "" HUP INT TERM; echo ready; while :; do sleep 1000; done`;

async function ready(keeper: TestKeeper, runId: string): Promise<void> {
  await keeper.client.request("waitForLine", {
    runId,
    pattern: "^ready",
    flags: "",
  });
}

/**
 * Runs a small controller that ensures a keeper. In a process of its own, because a keeper outlives who starts it, and
 * a test may leave no child behind.
 *
 * @returns The pids of the keepers it got, or its error.
 */
async function ensureElsewhere(
  home: TempHome,
  options: { command?: unknown; count?: number; giveUpMs?: number } = {},
): Promise<number[] & { name: string; code: string; message: string }> {
  const { stdout } = await new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      "-A",
      `${PROGRAMS}/ensure_keeper.ts`,
      JSON.stringify({
        socketPath: home.paths.keeperSocket,
        command: testKeeperCommand(home),
        count: 1,
        ...options,
      }),
    ],
    env: home.env,
    clearEnv: true,
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Asks the keeper to end, and waits until it is gone. */
async function endKeeper(home: TempHome): Promise<void> {
  const client = await KeeperClient.connect(home.paths.keeperSocket);
  await client.request("shutdown", {});
  await client.closed;
  await until(() => !lives(client.hello.pid), { what: "the keeper is gone" });
}

Deno.test("the keeper greets with its protocol, its pid and the boot", async () => {
  await using keeper = await testKeeper();
  const { hello } = keeper.client;
  assert.equal(hello.taskmux, "keeper");
  assert.equal(hello.protocol, KEEPER_PROTOCOL);
  assert.equal(hello.pid, keeper.child.pid);
  assert.match(hello.bootId, /^[0-9a-fA-F-]{36}$/);
});

Deno.test("the keeper's socket and state are the user's alone", async () => {
  await using keeper = await testKeeper();
  const { keeperSocket, keeperLock, keeperLog } = keeper.home.paths;
  const mode = (path: string) => Deno.statSync(path).mode! & 0o777;
  assert.equal(mode(dirname(keeperSocket)), 0o700);
  for (const path of [keeperSocket, keeperLock, keeperLog]) {
    assert.equal(mode(path), 0o600, path);
  }
});

Deno.test("the keeper does all this with files, its socket and native code from two places", async () => {
  await using home = await tempHome();
  const flags = testKeeperCommand(home).args.filter((arg) =>
    arg.startsWith("--allow") || arg.startsWith("-A") || arg === "--no-prompt"
  );
  assert.deepEqual(flags, [
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    `--allow-net=unix:${home.paths.keeperSocket}`,
    `--allow-ffi=${testDenoDirectory()}/npm,${testLibc()}`,
  ]);
});

Deno.test("racing ensureKeeper calls get one keeper, which outlives them", async () => {
  await using home = await tempHome();
  const answers = await Promise.all([
    ensureElsewhere(home, { count: 4 }),
    ensureElsewhere(home, { count: 4 }),
  ]);
  const pids = new Set(answers.flat());
  assert.equal(answers.flat().length, 8);
  assert.equal(pids.size, 1);
  const client = await KeeperClient.connect(home.paths.keeperSocket);
  assert.ok(pids.has(client.hello.pid));
  client.close();
  await client.closed;
  await endKeeper(home);
});

Deno.test("a stale socket is replaced, a dead lock taken over", async () => {
  const home = await tempHome();
  await using _ = home;
  const killed = await testKeeper(home);
  const { pid } = killed;
  Deno.kill(pid, "SIGKILL");
  await killed.child.status;
  assert.ok(Deno.statSync(home.paths.keeperSocket).isSocket);
  await using keeper = await testKeeper(home);
  assert.notEqual(keeper.pid, pid);
  await killed[Symbol.asyncDispose]();
});

Deno.test("a keeper that cannot start says why", async () => {
  await using home = await tempHome();
  const command = testKeeperCommand(home);
  const args = command.args.filter((arg) => !arg.startsWith("--allow-ffi"));
  const error = await ensureElsewhere(home, { command: { ...command, args } });
  assert.equal(error.code, "E600");
  assert.match(error.message, /ended with status 1: .*NotCapable/s);
});

Deno.test("ensureKeeper can be given up", async () => {
  await using home = await tempHome();
  const error = await ensureElsewhere(home, {
    // Never listens.
    command: { program: "sleep", args: ["2"] },
    giveUpMs: 100,
  });
  assert.equal(error.name, "TimeoutError");
});

Deno.test("a keeper of another protocol is named with the remedy", async () => {
  await using home = await tempHome();
  await Deno.mkdir(dirname(home.paths.keeperSocket), { recursive: true });
  const path = home.paths.keeperSocket;
  using listener = Deno.listen({ transport: "unix", path });
  const serving = (async () => {
    using old = new FrameConnection(await listener.accept());
    old.send({
      taskmux: "keeper",
      protocol: KEEPER_PROTOCOL + 2,
      oldestProtocol: KEEPER_PROTOCOL + 1,
      version: "9.9.9",
      pid: 4242,
      bootId: "x",
    });
    await old.frames().next();
  })();
  await assert.rejects(KeeperClient.connect(path), (error) => {
    assert.ok(error instanceof TaskmuxError);
    assert.equal(error.code, "E601");
    assert.match(error.message, /pid 4242.*9\.9\.9 with protocol 2 to 3/);
    assert.match(error.hint ?? "", /^taskmux daemon restart --force/);
    return true;
  });
  await serving;
});

Deno.test("what does not greet is no keeper", async () => {
  await using home = await tempHome();
  await Deno.mkdir(dirname(home.paths.keeperSocket), { recursive: true });
  const path = home.paths.keeperSocket;
  for (const nonsense of [undefined, { hello: "world" }, 42]) {
    using listener = Deno.listen({ transport: "unix", path });
    const serving = (async () => {
      using peer = new FrameConnection(await listener.accept());
      if (nonsense !== undefined) peer.send(nonsense);
      await peer.flushed();
    })();
    await assert.rejects(KeeperClient.connect(path), (error) => {
      assert.ok(error instanceof TaskmuxError);
      assert.equal(error.code, "E600");
      return true;
    });
    await serving;
  }
});

Deno.test("a keeper that nobody needs ends by itself", async () => {
  await using home = await tempHome();
  const { program, args, env } = testKeeperCommand(home, 300);
  const output = await new Deno.Command(program, { args, env, clearEnv: true })
    .output();
  assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
  assert.throws(
    () => Deno.statSync(home.paths.keeperSocket),
    Deno.errors.NotFound,
  );
});

Deno.test("a keeper stays for a living run and for an end nobody knows of", async () => {
  await using home = await tempHome();
  const { keeperSocket } = home.paths;
  const [pid = 0] = await ensureElsewhere(home, {
    command: testKeeperCommand(home, 500),
  });
  const first = await KeeperClient.connect(keeperSocket);
  await first.request("spawn", {
    runId: "00000000000a",
    key: "k",
    argv: ["/bin/sleep", "1"],
    cwd: "/",
    env: {},
    log: { path: `${home.root}/k.log`, maxBytes: 1000, maxFiles: 0 },
  });
  first.close();
  await first.closed;
  const startedAt = Date.now();
  // Longer than the idle time, and the run ends within it.
  await until(() => Date.now() - startedAt > 2_000);
  const second = await KeeperClient.connect(keeperSocket);
  assert.equal(second.hello.pid, pid);
  const { runs } = await second.request("list", {});
  assert.equal(runs[0]?.ended?.code, 0);
  await second.request("acknowledge", { runIds: ["00000000000a"] });
  second.close();
  await second.closed;
  await until(() => !lives(pid), { what: "the keeper is gone" });
});

Deno.test("several controllers hear the same and survive each other", async () => {
  await using keeper = await testKeeper();
  const { keeperSocket } = keeper.home.paths;
  const other = await KeeperClient.connect(keeperSocket);
  const heard: string[] = [];
  other.onNotice((notice) => heard.push(notice.notice));
  const run = await keeper.sh("sleep 0.1");
  await keeper.ended(run.runId);
  await until(() => heard.includes("ended"));
  other.close();
  await other.closed;
  await assert.rejects(other.request("list", {}), { code: "E600" });
  assert.equal((await keeper.client.request("list", {})).runs.length, 1);
});

Deno.test("a controller that goes away takes no run with it", async () => {
  await using keeper = await testKeeper();
  const first = await KeeperClient.connect(keeper.home.paths.keeperSocket);
  const run = await keeper.sh("echo ready; sleep 1000");
  const waiting = first.request("waitForLine", {
    runId: run.runId,
    pattern: "never",
    flags: "",
  });
  first.close();
  await assert.rejects(waiting, { code: "E600" });
  await ready(keeper, run.runId);
  assert.ok(lives(run.pid));
});

Deno.test("a peer that speaks nonsense is disconnected and nobody else is", async () => {
  await using keeper = await testKeeper();
  const path = keeper.home.paths.keeperSocket;
  for (const nonsense of ["no json\n", "[1]\n", '{"id":"x"}\n']) {
    const conn = await Deno.connect({ transport: "unix", path });
    await conn.write(new TextEncoder().encode(nonsense));
    const buffer = new Uint8Array(1024);
    let count: number | null = 0;
    while (count !== null) count = await conn.read(buffer);
    conn.close();
  }
  assert.deepEqual(await keeper.client.request("list", {}), { runs: [] });
});

Deno.test("environments are kept for the next controller", async () => {
  await using keeper = await testKeeper();
  const { client } = keeper;
  const env = { A: "1", LONG: "x".repeat(100_000), UMLAUT: "ü" };
  await client.request("putEnvironment", { name: "one", env });
  using next = await KeeperClient.connect(keeper.home.paths.keeperSocket);
  assert.deepEqual(await next.request("getEnvironment", { name: "one" }), {
    env,
  });
  assert.deepEqual(await next.request("getEnvironment", { name: "two" }), {
    env: null,
  });
  next.close();
  await next.closed;
});

Deno.test("SIGTERM ends all runs, then the keeper; SIGINT and SIGHUP do nothing", async () => {
  await using home = await tempHome();
  const keeper = await testKeeper(home);
  const gentle = await keeper.sh(
    `trap 'echo bye; exit' TERM; echo ready; while :; do sleep 0.05; done`,
    { key: "gentle" },
  );
  const stubborn = await keeper.sh(STUBBORN, { key: "stubborn" });
  await ready(keeper, gentle.runId);
  await ready(keeper, stubborn.runId);
  Deno.kill(keeper.pid, "SIGINT");
  Deno.kill(keeper.pid, "SIGHUP");
  assert.equal((await keeper.client.request("list", {})).runs.length, 2);
  Deno.kill(keeper.pid, "SIGTERM");
  const status = await keeper.child.status;
  assert.equal(status.code, 0);
  await keeper.client.closed;
  assert.ok(!lives(gentle.pid));
  assert.ok(!lives(stubborn.pid));
  const ends = keeper.notices.filter(({ notice }) => notice === "ended");
  assert.equal(ends.length, 2);
  assert.ok(keeper.lines("gentle").includes("bye"));
  await keeper[Symbol.asyncDispose]();
});

Deno.test({
  name: "a new keeper ends what survived the death of the one before",
  ignore: !HAS_PROC,
  fn: async () => {
    await using home = await tempHome();
    const dead = await testKeeper(home);
    const five = await dead.spawn([`${PROGRAMS}/five_kinds.sh`]);
    const obedient = await dead.sh("echo ready; sleep 1000", { key: "other" });
    await ready(dead, obedient.runId);
    await until(() => dead.lines("task").length === 5);
    const survivors = dead.lines("task").map((line) =>
      Number(line.split(" ")[1])
    );
    Deno.kill(dead.pid, "SIGKILL");
    await dead.child.status;
    await until(() => !lives(obedient.pid), { what: "hung up" });
    for (const pid of survivors) assert.ok(lives(pid), "precondition");

    await using keeper = await testKeeper(home);
    const own = await keeper.sh("echo ready; sleep 1000", { key: "own" });
    await ready(keeper, own.runId);
    const { ended, survivors: left } = await keeper.client.request("reclaim", {
      runIds: [five.runId, obedient.runId, own.runId],
    });
    assert.deepEqual(left, []);
    for (const pid of survivors) {
      assert.ok(!lives(pid));
      assert.ok(
        ended.some((entry) => entry.pid === pid && entry.runId === five.runId),
      );
    }
    assert.deepEqual(pidsWithRunId(five.runId), []);
    assert.ok(lives(own.pid), "runs of this keeper are not reclaimed");
    await dead[Symbol.asyncDispose]();
  },
});

Deno.test({
  name: "holders names who listens on a port, and whose it is",
  ignore: !HAS_PROC,
  fn: async () => {
    await using keeper = await testKeeper();
    const run = await keeper.spawn([
      "deno",
      "eval",
      "const l = Deno.listen({hostname: '127.0.0.1', port: 0});" +
      "console.log('port ' + l.addr.port); await l.accept()",
    ], { env: { ...keeper.home.env } });
    const { line } = await keeper.client.request("waitForLine", {
      runId: run.runId,
      pattern: "^port \\d+$",
      flags: "",
    });
    const port = Number(line?.split(" ")[1]);
    const { holders } = await keeper.client.request("holders", { port });
    assert.equal(holders.length, 1);
    assert.equal(holders[0]?.runId, run.runId);
    assert.match(holders[0]?.command ?? "", /deno eval/);
    // Whoever asks about a run is told the same, and of strangers as well.
    const { runId } = run;
    assert.deepEqual(
      await keeper.client.request("holders", { port, runId }),
      { holders, hidden: [] },
    );

    using own = Deno.listen({ hostname: "::1", port: 0 });
    const foreign = await keeper.client.request("holders", {
      port: own.addr.port,
      runId,
    });
    assert.deepEqual(
      foreign.holders.map(({ pid, runId }) => ({ pid, runId })),
      [{ pid: Deno.pid, runId: null }],
    );
    const nobody = await keeper.client.request("holders", { port: 1 });
    assert.deepEqual(nobody, { holders: [], hidden: [] });
  },
});
