/**
 * The client for scripts, against a daemon that is restarted under it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ApiClient, ApiError, connect } from "../../src/client/api_client.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { codeBlocks } from "../support/markdown.ts";
import type { TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const TOML = `name = "demo"
[tasks.api]
command = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"
[tasks.worker]
command = "sleep 1000"
`;

const DEMO = { session: "demo" };

Deno.test("the client for scripts", async (t) => {
  await using taskmux = await testTaskmux();
  const { home } = taskmux.home;
  await t.step("says that no daemon runs", async () => {
    await assert.rejects(connect({ home }), { code: "E600" });
  });
  const project = await taskmux.project(TOML);
  await project.ok(["start"]);

  await t.step("answers, refusals, withdrawal", () => answers(home));
  await t.step(
    "nothing is lost or doubled by a restart",
    () => restarts(taskmux, project),
  );
  await t.step("a reader that is slow misses nothing", () => slow(home));
  await t.step("the example of the page for programs", () => example(taskmux));
});

async function answers(home: string): Promise<void> {
  await using client = await connect({ home, caller: "test" });
  const status = await client.call("task.status", { scope: DEMO });
  assert.deepEqual(status.tasks.map(({ name }) => name), ["api", "worker"]);
  const old = await client.command("list_tasks", DEMO);
  assert.equal(old["ok"], true);
  const refused = await client.call("task.inspect", {
    scope: DEMO,
    task: "ghost",
  }).catch((error: unknown) => error);
  assert.ok(refused instanceof ApiError);
  assert.equal(refused.code, "E200");
  assert.equal(refused.slug, "unknown_task");
  const ended = new AbortController();
  const waiting = client.call("task.wait", {
    scope: DEMO,
    tasks: ["worker"],
    for: "stopped",
  }, { signal: ended.signal });
  ended.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  const filter = { session: "ghost" };
  await assert.rejects(client.events(filter).next(), { code: "E303" });
  client.close();
  await assert.rejects(client.call("daemon.ping", {}), { name: "AbortError" });
}

async function restarts(
  taskmux: Taskmux,
  project: TestProject,
): Promise<void> {
  await using client = new ApiClient({ home: taskmux.home.home });
  const { cursor } = await client.call("event.list", { limit: 1 });
  const seqs: number[] = [];
  const numbers: number[] = [];
  const following = Promise.all([
    (async () => {
      for await (const item of client.events({ cursor })) {
        assert.equal(item.type, "event");
        if (item.type === "event") seqs.push(item.event.seq);
      }
    })(),
    (async () => {
      const filter = { ...DEMO, tasks: ["api"], lines: null };
      for await (const item of client.logs(filter)) {
        assert.equal(item.type, "line");
        if (item.type === "line") numbers.push(Number(item.text));
      }
    })(),
  ]);
  for (let round = 0; round < 2; round++) {
    await until(() => numbers.length > 0);
    await project.ok(["restart", "worker"]);
    await taskmux.ok(["daemon", "restart"]);
    await project.ok(["restart", "worker"]);
    const length = numbers.length;
    await until(() => numbers.length > length + 5);
  }
  const { events } = await client.call("event.list", { cursor, limit: 0 });
  const wanted = events.map(({ seq }) => seq);
  await until(() => seqs.length >= wanted.length);
  client.close();
  await following;
  assert.deepEqual(seqs, wanted);
  const types = events.map(({ event }) => event);
  assert.equal(types.filter((type) => type === "daemon_started").length, 2);
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
}

async function slow(home: string): Promise<void> {
  await using client = await connect({ home, ...DEMO });
  // More than the client holds, so that it lets the subscription go and takes it up again.
  const lines = 40_000;
  await client.call("task.run", {
    scope: DEMO,
    task: "flood",
    command: `seq -f '${"x".repeat(200)} %.0f' 1 ${lines}; sleep 1000`,
    cwd: "/",
  });
  await client.call("task.wait", {
    scope: DEMO,
    tasks: ["flood"],
    for: `log:/ ${lines}$/`,
  });
  let wanted = 1;
  for await (const item of client.logs({ tasks: ["flood"], lines: null })) {
    assert.equal(item.type, "line");
    if (item.type !== "line") return;
    assert.equal(Number(item.text.split(" ")[1]), wanted);
    // Whatever is on its way arrives while this waits.
    if (wanted === 1) await client.call("task.status", { scope: DEMO });
    if (wanted++ === lines) break;
  }
}

/** Runs it as a script of its own, which gets the package under its name. */
async function example(taskmux: Taskmux): Promise<void> {
  const [block] = codeBlocks(
    await Deno.readTextFile(`${REPOSITORY}/docs/programs.md`),
  ).filter(({ language }) => language === "ts");
  assert.ok(block !== undefined);
  const { work, home } = taskmux.home;
  const entry = `file://${REPOSITORY}/src/client/api_client.ts`;
  const imports = { "@taskmux/cli/client": entry };
  await Deno.writeTextFile(`${work}/deno.json`, JSON.stringify({ imports }));
  await Deno.writeTextFile(`${work}/script.ts`, block.text);
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [
      "run",
      "--no-prompt",
      "--check",
      `--allow-read=${home}`,
      "--allow-env",
      "--allow-net=localhost",
      "script.ts",
    ],
    cwd: work,
    env: { TASKMUX_HOME: home },
  }).output();
  const decoder = new TextDecoder();
  assert.equal(code, 0, decoder.decode(stderr));
  assert.match(decoder.decode(stdout), /^\d+\n$/);
}
