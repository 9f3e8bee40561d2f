/**
 * `taskmux mcp serve`: the real command line over pipes, with a daemon, without one, and with one that dies.
 *
 * @module
 */

import assert from "node:assert/strict";
import { killDaemon } from "../support/crashes.ts";
import type { Json } from "../support/mcp_client.ts";
import { McpStdio } from "../support/mcp_stdio.ts";
import type { TestProject } from "../support/project.ts";
import { openTerminal } from "../support/terminal.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const SECRET = "hunter2-hunter2-hunter2";

const SHOP = `
name = "shop"
[tasks.web]
command = "echo hello $WEB_PASSWORD; while ! test -f go; do sleep 0.05; done; echo gone; exec sleep 1000"
env = { WEB_PASSWORD = "${SECRET}" }
[tasks.worker]
command = "exec sleep 1000"
`;

const TOOLS_THAT_LOOK = [
  ["status", {}],
  ["list_projects", {}],
  ["inspect", { task: "web" }],
  ["logs", { task: "web" }],
  ["errors", {}],
  ["why", { task: "web" }],
  ["events", {}],
] as const;

Deno.test("mcp serve: outside of a project it serves nothing unless told to", async () => {
  await using taskmux = await testTaskmux();
  await taskmux.project(SHOP);
  const cases = [
    [[], 3, /^Error \[E100\]: Cannot serve a project: .*\nhint: .*--unscoped/],
    [["--session", "nope"], 4, /^Error \[E303\]/],
    [["--session", "a", "--unscoped"], 2, /^Error \[E500\]/],
    [["--access", "read"], 2, /^Error \[E500\].*access/],
  ] as const;
  for (const [words, code, stderr] of cases) {
    const run = await taskmux.run(["mcp", "serve", ...words]);
    assert.equal(run.stdout, "", words.join(" "));
    assert.match(run.stderr, stderr);
    assert.equal(run.code, code, run.stderr);
  }
  const all = await taskmux.run(["mcp", "serve", "--unscoped"]);
  assert.deepEqual([all.code, all.stdout, all.stderr], [0, "", ""]);

  const { home } = taskmux;
  const words = ["mcp", "serve", "--unscoped"];
  await using terminal = openTerminal(home, words, home.work);
  await terminal.shows("an agent is to start this");
  await terminal.type("\x04");
  assert.equal(await terminal.ended(), 0);
});

Deno.test("mcp serve: looks without a daemon, acts with one, and outlives it", async (t) => {
  await using taskmux = await testTaskmux();
  const shop = await taskmux.project(SHOP, "shop");
  await using agent = serve(taskmux, shop);
  await agent.initialize();

  await t.step("looking starts no daemon", async () => {
    await lookOffline(agent);
    assert.equal(await taskmux.daemonPid(), null);
  });
  await t.step("acting starts one", () => act(agent, taskmux));
  await t.step("a wait outlives the daemon", async () => {
    const id = await agent.begin("tools/call", {
      name: "taskmux_wait",
      arguments: { task: "web", for: "log:/gone/", timeout: 100 },
    });
    await agent.ok("status");
    await killDaemon(taskmux);
    await agent.ok("status");
    await shop.file("go", "");
    const { result } = await agent.answerTo(id);
    assert.notEqual(result?.["isError"], true, JSON.stringify(result));
    assert.match(JSON.stringify(result), /line: gone/);
  });
  await t.step(
    "what happens is told through a restart, each once",
    async () => {
      await taskmux.ok(["daemon", "restart"]);
      await agent.ok("restart", { task: "worker" });
      await until(() => agent.events.includes("task_restarted"));
      await checkOnce(agent);
    },
  );
  await t.step("a wait that is withdrawn has no answer", async () => {
    const id = await agent.begin("tools/call", {
      name: "taskmux_wait",
      arguments: { task: "web", for: "log:/never/" },
    });
    await agent.ok("status");
    assert.ok(!agent.heard.some((message) => message.id === id));
    const params = { requestId: id, reason: "enough" };
    await agent.send({ method: "notifications/cancelled", params });
    await agent.ok("status");
    assert.ok(!agent.heard.some((message) => message.id === id));
  });
  await t.step("what is no message is refused and does no harm", async () => {
    await agent.line("hello?");
    await until(() => agent.heard.some(({ error }) => error?.code === -32700));
    await agent.ok("status");
  });
  await t.step("it ends with its input, whatever is under way", async () => {
    const id = await agent.begin("tools/call", {
      name: "taskmux_wait",
      arguments: { task: "web", for: "log:/never/" },
    });
    await agent.ok("status");
    assert.ok(!agent.heard.some((message) => message.id === id));
    assert.deepEqual({ ...await agent.end("input") }, {
      success: true,
      code: 0,
      signal: null,
    });
    assert.equal(agent.stderr, "");
    assert.ok(!JSON.stringify(agent.heard).includes(SECRET));
  });
  await t.step("pins, access and signals", () => pinsAndAccess(taskmux, shop));
});

function serve(
  taskmux: Taskmux,
  { folder }: TestProject,
  ...words: string[]
): McpStdio {
  return McpStdio.spawn(taskmux, words, { cwd: folder });
}

async function lookOffline(agent: McpStdio): Promise<void> {
  for (const [name, args] of TOOLS_THAT_LOOK) await agent.ok(name, args);
  const { tasks } = await agent.ok("status");
  assert.match((tasks as Json)["web"] as string, /^stopped/);
  const status = JSON.parse(await agent.read("taskmux://status"));
  assert.equal(status.projects[0].session, "shop");
  assert.equal(await agent.read("taskmux://logs/shop/web"), "");
  const none = await agent.ask("resources/read", {
    uri: "taskmux://logs/shop/x",
  });
  assert.equal(none.error?.code, -32002);
  for (
    const uri of ["taskmux://status", "taskmux://logs/shop/web"]
  ) {
    const { error } = await agent.ask("resources/subscribe", { uri });
    assert.equal(error, undefined);
  }
}

async function act(agent: McpStdio, taskmux: Taskmux): Promise<void> {
  const { result } = await agent.ask("tools/call", {
    name: "taskmux_start",
    arguments: {},
    _meta: { progressToken: "p" },
  });
  assert.notEqual(result?.["isError"], true, JSON.stringify(result));
  assert.notEqual(await taskmux.daemonPid(), null);
  const progress = agent.heard
    .filter(({ method }) => method === "notifications/progress")
    .map(({ params }) => Number(params?.["progress"]));
  assert.ok(progress.length >= 2, "start tells how far it is");
  assert.deepEqual(progress, [...new Set(progress)].toSorted((a, b) => a - b));
  await until(() => agent.events.includes("task_started"));
  const updated = (): unknown[] =>
    agent.heard
      .filter(({ method }) => method === "notifications/resources/updated")
      .map(({ params }) => params?.["uri"]);
  await until(() => updated().includes("taskmux://status"));
  await until(() => updated().includes("taskmux://logs/shop/web"));
  assert.match(await agent.read("taskmux://logs/shop/web"), /hello \*\*\*/);
  const log = await Deno.readTextFile(taskmux.home.paths.daemonLog);
  assert.match(log, /audit: mcp test-stdio 1 .*task\.start/);
}

/** Every event at most once, as a notice and with the answers, and none left out between. */
async function checkOnce(agent: McpStdio): Promise<void> {
  const answered = agent.heard.flatMap(({ result }) => {
    const answer = result?.["structuredContent"] as Json | undefined;
    const news = answer?.["recent_events"] as Json[] | undefined;
    return news?.map(({ seq }) => Number(seq)) ?? [];
  });
  assert.deepEqual(answered, [...new Set(answered)].toSorted((a, b) => a - b));
  assert.ok(answered.length > 0);
  const last = Math.max(...answered);
  const noticed = await until(() => {
    const seqs = agent.heard.flatMap(({ method, params }) =>
      method === "notifications/message"
        ? [Number((params?.["data"] as Json)["seq"])]
        : []
    );
    // An answer may come before the notice of what it tells.
    return seqs.some((seq) => seq >= last) && seqs;
  }, { what: `a notice of event ${last}` });
  assert.deepEqual(noticed, [...new Set(noticed)].toSorted((a, b) => a - b));
  // All but the first are about this project or taskmux itself, and no filter is set.
  const [first = 0] = noticed;
  for (let seq = first; seq <= last; seq++) {
    assert.ok(noticed.includes(seq), `event ${seq} of ${noticed}`);
  }
}

async function pinsAndAccess(
  taskmux: Taskmux,
  shop: TestProject,
): Promise<void> {
  const blog = await taskmux.project(
    'name = "blog"\n[tasks]\na = "exec sleep 1000"\n',
    "blog",
  );
  await using reader = serve(
    taskmux,
    blog,
    "--session",
    "shop",
    "--read-only",
  );
  await reader.initialize();
  const { tasks } = await reader.ok("status");
  assert.deepEqual(Object.keys(tasks as Json).toSorted(), ["web", "worker"]);
  const refused = await reader.tool("stop");
  assert.equal(refused.isError, true);
  const violation = await reader.tool("status", { session: "blog" });
  assert.match(JSON.stringify(violation), /pin_violation/);
  const { result } = await reader.ask("tools/list");
  assert.ok(!JSON.stringify(result).includes("taskmux_stop"));

  await using own = serve(taskmux, blog);
  await own.initialize();
  await own.ok("start");
  assert.equal((await blog.status()).running, true);
  assert.equal((await shop.status()).active_tasks, 2);
  const ended = await own.end("SIGTERM");
  assert.equal(ended.success, false);
  assert.equal((await blog.status()).running, true);
}
