/**
 * The tools of MCP with a whole taskmux behind them, asked over the wire.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TOOLS } from "../../src/mcp/tools/offered_tools.ts";
import { type Json, type McpClient, mcpClient } from "../support/mcp_client.ts";
import { readIfThere, type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const SHOP = `
name = "shop"
[tasks.db]
command = "sleep 999"
[tasks.web]
command = "python3 -m http.server $PORT"
depends_on = ["db"]
[tasks.noisy]
command = '''seq 1 4000 | tr 0-9 a-j | sed "s/.*/word & and more that differs/"; echo "Error: boom"; sleep 999'''
[tasks.bad]
command = "echo 'Error: cannot open file'; exit 3"
restart_policy = "no"
auto_start = false
[tasks.later]
command = "echo $MCP_TEST_MARK; sleep 999"
auto_start = false
`;

const CAFE = 'name = "cafe"\n[tasks.bar]\ncommand = "sleep 999"\n';

Deno.test({
  name: "tools of MCP",
  fn: async (t) => {
    await using taskmux = await testTaskmux();
    const cafe = await taskmux.project(CAFE, "cafe");
    const shop = await taskmux.project(SHOP, "shop");
    // The daemon has the environment of the first one.
    await cafe.ok(["start"]);
    const env = { MCP_TEST_MARK: "of-the-shell" };
    await shop.ok(["start", "--wait"], { env });
    const step = (
      name: string,
      work: (taskmux: Taskmux) => Promise<void>,
    ): Promise<boolean> => t.step(name, () => work(taskmux));
    await step("look at what is there", looks);
    await step("read logs within a budget", readsLogs);
    await step("act, wait, and tell what is new once", acts);
    await step("refuse wrong arguments with what is right", refuses);
    await step("ask which project is meant, where none is", asksWhich);
    await step("keep to a pin", keepsToPins);
    await step("only look over a connection that may not act", onlyLooks);
    await step("mix nothing up between connections at once", mixesNothing);
    await step("tell each event once, however many ask at once", tellsOnce);
    await step("leave an audit", audits);
  },
});

/** Calls a tool that must succeed, and checks what it gives against what it promises. */
async function ask(
  client: McpClient,
  name: keyof typeof TOOLS,
  args: Json = {},
): Promise<Json> {
  const answer = await client.tool(`taskmux_${name}`, args);
  assert.notEqual(answer.isError, true, JSON.stringify(answer));
  const structured = answer.structuredContent ?? {};
  TOOLS[name].output.parse(structured);
  assert.notEqual(answer.content[0]?.text ?? "", "", name);
  return structured;
}

async function looks(taskmux: Taskmux): Promise<void> {
  await using client = await mcpClient(taskmux, { query: "session=shop" });
  const status = await ask(client, "status");
  const tasks = status["tasks"] as Record<string, string>;
  assert.equal(status["session"], "shop");
  assert.match(tasks["web"] ?? "", /^healthy :\d+$/);
  assert.equal(tasks["later"], "stopped");
  const one = await ask(client, "status", { task: "later" });
  assert.deepEqual(Object.keys(one["tasks"] as Json), ["later"]);
  const { projects } = await ask(client, "list_projects");
  const sessions = Object.keys(projects as Json).sort();
  assert.deepEqual(sessions, ["cafe", "shop"], "global, pinned or not");
  const web = await ask(client, "inspect", { task: "web" });
  assert.equal(web["command"], "python3 -m http.server $PORT");
  assert.equal(web["depends_on"], "db");
  const health = await ask(client, "health", { task: "web,db" });
  assert.deepEqual([health["healthy"], health["total"]], [2, 2]);
  const why = await ask(client, "why", { task: "later" });
  assert.equal(why["state"], "stopped");
  assert.equal(why["you"], "taskmux start later");
  const { events } = await ask(client, "events", {
    task: "web",
    types: ["task_started", "task_healthy"],
    since: "1h",
    limit: 5,
  });
  const told = (events as Json[]).map(({ event }) => event);
  assert.deepEqual(told, ["task_started", "task_healthy"]);
  assert.ok(!("session" in (events as Json[])[0]!), "the pin says it");
}

async function readsLogs(taskmux: Taskmux): Promise<void> {
  await using client = await mcpClient(taskmux, { query: "session=shop" });
  const args = { task: "noisy", lines: 4_001 };
  await until(async () => {
    const { lines } = await ask(client, "logs", { task: "noisy", lines: 1 });
    return String(lines).endsWith("Error: boom");
  });
  const answer = await client.tool("taskmux_logs", args);
  const logs = answer.structuredContent as {
    readonly lines: readonly string[];
    readonly omitted: { readonly lines: number };
  };
  const size = JSON.stringify(logs).length;
  assert.ok(size <= 4_000, `${size} bytes`);
  const { text } = answer.content[0]!;
  assert.ok(text.length <= 4_000, `${text.length} bytes of text`);
  assert.match(logs.lines.at(-1) ?? "", /Error: boom$/);
  const shown = logs.lines.filter((line) => !line.startsWith("[")).length;
  assert.equal(shown + logs.omitted.lines, 4_001, "not a line is forgotten");
  for (const line of logs.lines) assert.ok(text.includes(line), line);
  const small = await ask(client, "logs", { ...args, max_tokens: 300 });
  assert.ok(JSON.stringify(small).length <= 1_200);
  const found = await ask(client, "logs", {
    task: "noisy",
    grep: "BOOM|boom",
    level: "error",
    since: "1h",
  });
  assert.equal((found["lines"] as string[]).length, 1);
  const { cursor } = found;
  const after = await ask(client, "logs", { task: "noisy", cursor });
  assert.deepEqual(after["lines"], []);
  const all = await ask(client, "logs", { grep: "boom" });
  assert.match(String(all["lines"]), /Z noisy \| Error: boom/);
  const digest = await ask(client, "errors");
  const [error] = digest["errors"] as Json[];
  assert.equal(error?.["message"], "Error: boom");
  // What was printed just now may go on, and is told again until it cannot.
  await until(async () => {
    const { cursor } = await ask(client, "errors");
    const newer = await ask(client, "errors", { cursor });
    return (newer["errors"] as Json[]).length === 0;
  });
}

async function acts(taskmux: Taskmux): Promise<void> {
  await using client = await mcpClient(taskmux, { query: "session=shop" });
  await ask(client, "status");
  const started = await ask(client, "start", { task: "later", wait: true });
  assert.deepEqual(started["tasks"], { later: "started, running" });
  const news = started["recent_events"] as Json[];
  const told = news.map(({ event, task }) => `${event} ${task}`);
  assert.deepEqual(told, ["task_started later"]);
  assert.ok(!("recent_events" in await ask(client, "status")), "once");
  const again = await client.tool("taskmux_start", { task: "later" });
  assert.equal(again.content[0]?.text, "later: already running");
  const waited = await ask(client, "wait", {
    task: "later",
    for: "log:/of-the-shell/",
  });
  assert.match(
    String((waited["tasks"] as Json)["later"]),
    /^running; line: .*of-the-shell$/,
    "with the environment of the shell that the project had last",
  );
  const restarted = await ask(client, "restart", { task: ["web"], wait: true });
  assert.match(
    String((restarted["tasks"] as Json)["web"]),
    /^restarted, healthy :\d+$/,
  );
  const stopped = await ask(client, "stop", { task: "later" });
  assert.deepEqual(stopped["tasks"], { later: "stopped" });
  const bad = await client.tool("taskmux_start", { task: "bad", wait: true });
  assert.equal(bad.isError, true);
  const { text } = bad.content[0]!;
  assert.match(text, /^Error E403: Task "bad" exited with code 3$/m);
  assert.match(text, /^it printed:\nError: cannot open file$/m);
  assert.match(text, /^hint: taskmux logs bad$/m);
  assert.match(text, /^new: .*bad task_failed/m, "also with a refusal");
  const status = await ask(client, "status");
  const tasks = status["tasks"] as Record<string, string>;
  assert.equal(tasks["bad"], "failed: exit 3");
  const late = await client.fails("taskmux_wait", {
    task: "web",
    for: "log:/never printed/",
    timeout: 0.2,
  });
  assert.equal(late["error_code"], "E602");
  const killed = await ask(client, "kill", { task: "db" });
  assert.deepEqual(killed["tasks"], { db: "killed" });
  const event = await ask(client, "events", { task: "db", limit: 1 });
  assert.equal((event["events"] as Json[])[0]?.["event"], "task_killed");
}

async function refuses(taskmux: Taskmux): Promise<void> {
  await using client = await mcpClient(taskmux, { query: "session=shop" });
  const refused = async (
    name: string,
    args: Json,
    expected: RegExp,
  ): Promise<void> => {
    const answer = await client.tool(`taskmux_${name}`, args);
    assert.equal(answer.isError, true, JSON.stringify(answer));
    assert.match(answer.content[0]?.text ?? "", expected);
    assert.equal(answer.structuredContent?.["ok"], false);
  };
  await refused(
    "logs",
    { tsak: "web" },
    /no argument "tsak", did you mean "task"\?/,
  );
  await refused("logs", { lines: "x" }, /lines: .*expected number/);
  await refused("logs", { level: "loud" }, /level: .*"warn"\|"error"/);
  await refused("logs", { max_tokens: 1 }, /max_tokens: .*>=100/);
  await refused("logs", { grep: "(" }, /E500/);
  await refused("logs", { max_tokens: 100 }, /^hint: max_tokens \d+$/m);
  await refused("list_projects", { x: 1 }, /no argument "x", it takes none/);
  await refused("wait", { task: "web", timeout: 601 }, /timeout: .*<=600/);
  await refused("kill", {}, /task: .*expected string/);
  await refused("kill", { task: " , " }, /tasks: /);
  await refused(
    "start",
    { task: "wbe" },
    /E200.*\n(.*\n)*hint: did you mean "web"\?/,
  );
  await refused("status", { task: "wbe" }, /E200[^]*did you mean "web"\?/);
  await refused("events", { task: "wbe" }, /E200[^]*did you mean "web"\?/);
  await refused("wait", { task: "web", for: "happy" }, /E500/);
  // As models fill in what they have nothing for.
  await ask(client, "status", { session: null });
  const { error } = await client.send("tools/call", { name: "taskmux_up" });
  assert.match(error?.message ?? "", /no such tool/);
}

async function asksWhich(taskmux: Taskmux): Promise<void> {
  await using client = await mcpClient(taskmux);
  const missing = await client.fails("taskmux_status");
  assert.equal(missing["error"], "missing_session");
  const { cafe, shop } = missing["sessions"] as Record<string, string>;
  assert.match(cafe ?? "", /^1\/1 running .*cafe\/taskmux\.toml$/);
  assert.match(shop ?? "", /^\d\/5 running /);
  const unknown = await client.fails("taskmux_stop", { session: "shpo" });
  assert.equal(unknown["error"], "unknown_session");
  assert.equal(unknown["hint"], 'did you mean "shop"?');
  assert.deepEqual((unknown["known"] as string[]).sort(), ["cafe", "shop"]);
  const status = await ask(client, "status", { session: "cafe" });
  assert.deepEqual(status["tasks"], { bar: "running" });
  const { events } = await ask(client, "events", { types: "session_started" });
  const sessions = (events as Json[]).map(({ session }) => session);
  assert.deepEqual(sessions, ["cafe", "shop"], "of all projects");
  const { notes } = await ask(client, "events", { session: "shpo" });
  assert.deepEqual(notes, ['none is of project "shpo"']);
}

async function keepsToPins(taskmux: Taskmux): Promise<void> {
  await using client = await mcpClient(taskmux, { query: "session=cafe" });
  const { tools } = await client.request<{ tools: readonly Json[] }>(
    "tools/list",
  );
  assert.equal(tools.length, 13);
  assert.ok(!JSON.stringify(tools).includes('"session":{"type":"string"}},"'));
  for (const name of ["status", "stop", "events", "logs"]) {
    const refused = await client.fails(`taskmux_${name}`, { session: "shop" });
    assert.equal(refused["error"], "pin_violation");
    assert.equal(refused["pinned_session"], "cafe");
    assert.equal(refused["requested_session"], "shop");
  }
  await ask(client, "status", { session: "cafe" });
  await using other = await mcpClient(taskmux, { query: "session=shop" });
  await ask(other, "restart", { task: "db" });
  const listed = await ask(client, "list_projects");
  assert.ok(!("recent_events" in listed), "no news of another project");
  const { events } = await ask(client, "events");
  assert.ok(!JSON.stringify(events).includes("web"), JSON.stringify(events));
  await using lost = await mcpClient(taskmux, { query: "session=gone" });
  const unknown = await lost.fails("taskmux_status");
  assert.equal(unknown["error"], "unknown_session");
  assert.match(String(unknown["hint"]), /taskmux start/);
}

async function onlyLooks(taskmux: Taskmux): Promise<void> {
  await using client = await mcpClient(taskmux, {
    query: "session=cafe&access=read",
  });
  const { tools } = await client.request<{ tools: readonly Json[] }>(
    "tools/list",
  );
  const names = tools.map(({ name }) => name);
  assert.equal(names.length, 9);
  assert.ok(!names.includes("taskmux_stop"));
  for (const name of ["start", "stop", "restart", "kill"]) {
    const refused = await client.fails(`taskmux_${name}`, { task: "bar" });
    assert.equal(refused["error"], "read_only");
  }
  const status = await ask(client, "status");
  assert.deepEqual(status["tasks"], { bar: "running" });
}

async function mixesNothing(taskmux: Taskmux): Promise<void> {
  const pins = Array.from({ length: 20 }, (_, at) => at % 2 ? "shop" : "cafe");
  const own = { shop: "db", cafe: "bar" } as const;
  await Promise.all(pins.map(async (pin) => {
    const query = `session=${pin}`;
    await using client = await mcpClient(taskmux, { query });
    const task = own[pin as keyof typeof own];
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all([
        client.tool("taskmux_status"),
        client.tool("taskmux_events", { limit: 5 }),
        client.tool("taskmux_start", { task }),
        client.tool("taskmux_logs", { task, lines: 1 }),
      ]);
      for (const { isError, structuredContent } of answers) {
        const text = JSON.stringify(structuredContent);
        assert.notEqual(isError, true, text);
        const foreign = pin === "shop" ? /"bar"/ : /"(?:db|web|noisy)"/;
        assert.doesNotMatch(text, foreign, pin);
      }
    }
  }));
}

async function tellsOnce(taskmux: Taskmux): Promise<void> {
  await using client = await mcpClient(taskmux, { query: "session=cafe" });
  await ask(client, "status");
  const scope = { session: "cafe" };
  const told: number[] = [];
  for (let round = 0; round < 5; round++) {
    const acting = taskmux.call("task.restart", { scope, tasks: ["bar"] });
    const asked = Array.from(
      { length: 8 },
      () => client.tool("taskmux_status"),
    );
    const answers = await Promise.all(asked);
    await acting;
    answers.push(await client.tool("taskmux_status"));
    for (const { structuredContent, content } of answers) {
      const news = (structuredContent?.["recent_events"] ?? []) as Json[];
      const seqs = news.map(({ seq }) => Number(seq));
      told.push(...seqs);
      const said = [...content[0]!.text.matchAll(/#(\d+) /g)];
      assert.deepEqual(said.map(([, seq]) => Number(seq)), seqs);
    }
  }
  assert.deepEqual(
    told.toSorted((a, b) => a - b),
    [...new Set(told)].sort(
      (a, b) => a - b,
    ),
  );
  const { events } = await ask(client, "events", {
    task: "bar",
    limit: 10,
    types: "task_exited,task_restarted",
  });
  const happened = (events as Json[]).map(({ seq }) => Number(seq));
  assert.equal(happened.length, 10);
  for (const seq of happened) {
    assert.ok(told.includes(seq), `${seq} of ${told}`);
  }
}

async function audits(taskmux: Taskmux): Promise<void> {
  const client = { name: "evil\n2026 {x} client", version: "2.1.0" };
  await using asker = await mcpClient(taskmux, {
    query: "session=cafe",
    client,
  });
  await ask(asker, "status");
  await ask(asker, "restart", { task: "bar" });
  await asker.fails("taskmux_start", { task: "ghost" });
  const log = await until(async () => {
    const text = await readIfThere(taskmux.home.paths.daemonLog);
    return text.includes("cafe/ghost") && text;
  });
  const id = asker.sessionId!.slice(0, 8);
  const who = `audit: mcp evil 2026 {x} client 2.1.0 (${id} pin cafe):`;
  const lines = log.split("\n").filter((line) => line.includes(who))
    .map((line) => line.slice(line.indexOf(who) + who.length + 1));
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.match(lines[0] ?? "", /^task\.restart cafe\/bar → ok \d+ ms$/);
  assert.match(lines[1] ?? "", /^task\.start cafe\/ghost → E200 \d+ ms$/);
}
