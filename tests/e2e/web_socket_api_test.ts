/**
 * The WebSocket API of a running daemon: the original's commands in its shapes, hostile clients, pins, subscriptions.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";
import { type Frame, TestWebSocket } from "../support/web_socket.ts";

const TOML = `# the shop
name = "shop"

[tasks.api] # serves
command = "while :; do echo tick; sleep 1; done"

# goes by hand
[tasks.job]
command = "sleep 1000"
auto_start = false
depends_on = ["api"]
`;

const OTHER = `name = "other"\n[tasks.x]\ncommand = "sleep 1000"\n`;

const SHOP = { session: "shop" };

interface World {
  readonly taskmux: Taskmux;
  readonly project: TestProject;
  readonly port: number;
}

async function portOf(taskmux: Taskmux): Promise<number> {
  const info = await Deno.readTextFile(taskmux.home.paths.daemonInfo);
  return JSON.parse(info).api_port;
}

/** Keys that must be there, with the types of their values; a value that is no type must be that value. */
type Shape = { readonly [key: string]: unknown };

function checkShape(found: Frame, shape: Shape, at: string): void {
  for (const [key, wanted] of Object.entries(shape)) {
    const value = found[key];
    const where = `${at}.${key} of ${JSON.stringify(found).slice(0, 300)}`;
    if (typeof wanted === "function") {
      assert.equal(typeof value, wanted.name.toLowerCase(), where);
    } else if (Array.isArray(wanted)) {
      assert.ok(Array.isArray(value), where);
      const [item] = wanted;
      if (item === undefined) continue;
      assert.ok(value.length > 0, `${where} is empty`);
      checkShape(value[0], item, `${at}.${key}[0]`);
    } else if (typeof wanted === "object" && wanted !== null) {
      assert.equal(typeof value, "object", where);
      checkShape(value as Frame, wanted as Shape, `${at}.${key}`);
    } else assert.equal(value, wanted, where);
  }
}

const STATUS_OF_TASK = {
  name: "api",
  running: true,
  healthy: Boolean,
  state: String,
  command: String,
  last_check: String,
};

const STATUS = {
  session_name: "shop",
  session_exists: true,
  tasks: { api: STATUS_OF_TASK },
  config_path: String,
  timestamp: String,
};

/** Each command of the original, in an order in which each succeeds, with what it is answered. */
const GOLDEN: readonly (readonly [string, object | undefined, Shape])[] = [
  ["ping", undefined, { ok: true }],
  ["sync_registry", undefined, { ok: true, count: 2 }],
  ["list_projects", undefined, {
    projects: [{
      session: "other",
      config_path: String,
      state: "ok",
      session_exists: false,
      task_count: 1,
      running_count: 0,
    }],
  }],
  ["status_all", {}, {
    data: {
      count: 2,
      timestamp: String,
      projects: [{ session: "other", state: "ok", config_path: String }],
    },
  }],
  ["mcp_status", {}, {
    ok: true,
    enabled: true,
    url: String,
    transport: "streamable_http",
    active_sessions: 0,
    sessions: [],
    filter: [],
  }],
  ["proxy_routes", {}, { running: false, routes: { shop: {} } }],
  ["status", SHOP, { session: "shop", data: STATUS }],
  ["list_tasks", SHOP, {
    session: "shop",
    data: {
      ok: true,
      running: true,
      active_tasks: 1,
      tasks: [{ name: "api" }],
    },
  }],
  ["inspect", { ...SHOP, task: "api" }, {
    session: "shop",
    result: { name: "api", restart_policy: String, cwd: String },
  }],
  ["health", { ...SHOP, task: "api" }, {
    result: { ok: true, task: "api", method: "proc", at: String },
  }],
  ["health", { ...SHOP, task: "ghost" }, {
    result: { ok: false, method: "none", reason: "task not in config" },
  }],
  ["url", { ...SHOP, task: "api" }, { task: "api", url: null }],
  ["tunnel_status", {}, { ok: true, tunnels: [] }],
  ["tunnel_config_get", SHOP, {
    ok: true,
    project_id: "shop",
    effective: { tunnel_name: { value: "taskmux-shop", source: "default" } },
    tasks: [],
  }],
  ["tunnel_test", SHOP, { ok: Boolean, preflight: { checks: [] } }],
  ["events", { ...SHOP, limit: 3 }, { events: [{ session: "shop" }] }],
  ["logs", { ...SHOP, task: "api", lines: 1 }, { task: "api", lines: [] }],
  ["logs", { ...SHOP, task: "ghost" }, { task: "ghost", lines: [] }],
  ["logs", SHOP, { tasks: { api: [], job: [] } }],
  ["start", { ...SHOP, task: "job" }, {
    ok: true,
    result: { ok: true, task: "job", action: "started" },
  }],
  ["start", { ...SHOP, task: "job" }, {
    ok: false,
    error: String,
    error_code: "E201",
    message: String,
    result: { ok: false, error_code: "E201", error: String },
  }],
  ["restart", { ...SHOP, task: "job" }, {
    result: { ok: true, action: "restarted" },
  }],
  ["stop", { ...SHOP, task: "job" }, {
    result: { ok: true, action: "stopped" },
  }],
  ["start", { ...SHOP, task: "job" }, { result: { ok: true } }],
  ["kill", { ...SHOP, task: "job" }, { result: { action: "killed" } }],
  ["stop_all", SHOP, { result: { ok: true, action: "stopped" } }],
  ["start_all", SHOP, {
    result: { ok: true, session: "shop", action: "started", tasks: [] },
  }],
  ["restart_all", SHOP, { result: { ok: true, action: "restarted" } }],
  ["logs_clean", { ...SHOP, task: "api" }, { task: "api", deleted: Number }],
  ["logs_clean", SHOP, { action: "logs_cleaned", deleted: Number }],
  ["resync", SHOP, { data: { ok: true, added: [], dropped: [] } }],
];

const REFUSED: readonly (readonly [string, object | undefined, Shape])[] = [
  ["nope", undefined, { error: "unknown_command", hint: String }],
  ["status", undefined, { error: "missing_session" }],
  ["status", { session: "ghost" }, {
    error: "unknown_session",
    session: "ghost",
    error_code: "E303",
    hint: String,
  }],
  ["start", SHOP, { error: "missing_task", session: "shop" }],
  ["url", { ...SHOP, task: "ghost" }, { error: "unknown_task" }],
  ["add_task", { ...SHOP, task: "y" }, { error: "missing_task_or_command" }],
  ["tunnel_test", {}, { error: "missing_session" }],
  ["tunnel_enable", SHOP, { error: "forbidden", message: String }],
  ["tunnel_disable", SHOP, { error: "forbidden" }],
  ["tunnel_config_set", { ...SHOP, updates: { account_id: "x" } }, {
    error: "forbidden",
  }],
  ["daemon.stop", {}, { error: "forbidden" }],
  ["event.follow", {}, { error: "forbidden" }],
  ["task.status", {}, { error: "invalid_argument", error_code: "E500" }],
  ["unsubscribe", { subscription: 9 }, { error: "unknown_subscription" }],
  ["subscribe", { to: "news" }, { error: "invalid_argument" }],
  ["subscribe", { to: "logs" }, { error: "missing_session" }],
  ["subscribe", { to: "events", types: ["task_strated"] }, {
    error: "invalid_argument",
    hint: 'did you mean "task_started"?',
  }],
  ["hello", { caller: "a b" }, { error: "invalid_argument" }],
];

Deno.test("the WebSocket API", async (t) => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  await taskmux.project(OTHER, "other");
  await project.ok(["start"]);
  await taskmux.ok([
    "daemon",
    "register",
    "-c",
    `${taskmux.home.work}/other/taskmux.toml`,
  ]);
  const world = { taskmux, project, port: await portOf(taskmux) };

  await t.step("the original's commands in its shapes", () => golden(world));
  await t.step("what is refused", () => refused(world));
  await t.step("the file keeps its comments", () => files(world));
  await t.step("ids and order", () => order(world));
  await t.step("hostile frames", () => hostile(world));
  await t.step("pins, and connections that only read", () => pins(world));
  await t.step("a caller is told what is new, once", () => callers(world));
  await t.step("subscriptions to events", () => events(world));
  await t.step("subscriptions to logs", () => logs(world));
});

async function golden({ port }: World): Promise<void> {
  await using socket = await TestWebSocket.open({ port });
  for (const [command, params, shape] of GOLDEN) {
    const answer = await socket.ask(command, params);
    checkShape(answer, shape, command);
    assert.equal(typeof answer["ok"], "boolean", command);
    assert.ok(!("id" in answer), command);
  }
  // Everything else by the names of the contract.
  const waited = await socket.ask("task.wait", {
    scope: SHOP,
    tasks: ["api"],
    for: "running",
  });
  checkShape(waited, { ok: true, met: [], tasks: [{ task: "api" }] }, "wait");
}

async function refused({ port }: World): Promise<void> {
  await using socket = await TestWebSocket.open({ port });
  for (const [command, params, shape] of REFUSED) {
    const answer = await socket.ask(command, params);
    checkShape(answer, { ok: false, message: String, ...shape }, command);
  }
  socket.send("{x");
  checkShape(await socket.next(), { ok: false, error: "invalid_json" }, "");
  for (const text of ["[]", "null", '{"command":5}', '{"id":{}}']) {
    socket.send(text);
    const answer = await socket.next();
    checkShape(answer, { ok: false, error: "invalid_request" }, text);
  }
  socket.send('{"id":"q","command":"ping","params":[]}');
  const answer = await socket.next();
  checkShape(answer, { id: "q", error: "invalid_request" }, "params");
  socket.send("{}");
  const unknown = { error: "unknown_command", command: null };
  checkShape(await socket.next(), unknown, "{}");
}

async function files({ port, project }: World): Promise<void> {
  await using socket = await TestWebSocket.open({ port });
  const before = await Deno.readTextFile(project.config);
  const block =
    "<!-- taskmux:start -->\n# Taskmux\nWRITTEN LONG AGO\n<!-- taskmux:end -->\n";
  await project.file("AGENTS.md", block);
  const added = await socket.ask("add_task", {
    ...SHOP,
    task: "web",
    command: "sleep 1000",
    depends_on: ["api"],
    host: null,
  });
  checkShape(added, { ok: true, task: "web", action: "added" }, "add_task");
  const text = await Deno.readTextFile(project.config);
  assert.equal(
    text,
    `${before}\n[tasks.web]\ncommand = "sleep 1000"\ndepends_on = ["api"]\n`,
  );
  const agents = await Deno.readTextFile(`${project.folder}/AGENTS.md`);
  assert.ok(
    !agents.includes("LONG AGO"),
    "the block for agents is rendered again",
  );
  const wrong = await socket.ask("add_task", {
    ...SHOP,
    task: "bad",
    command: "true",
    depends_on: ["ghost"],
  });
  checkShape(wrong, { ok: false, error_code: "E210" }, "add_task");
  const needed = await socket.ask("remove_task", { ...SHOP, task: "api" });
  checkShape(needed, { ok: false, removed: false, error_code: "E210" }, "");
  const { result } = await socket.ask("inspect", { ...SHOP, task: "api" });
  assert.equal((result as Frame)["running"], true, "nothing was stopped");
  const removed = await socket.ask("remove_task", { ...SHOP, task: "web" });
  checkShape(removed, { ok: true, removed: true, action: "removed" }, "");
  assert.equal(await Deno.readTextFile(project.config), before);
  const { tasks } = (await socket.ask("list_tasks", SHOP))["data"] as Frame;
  const names = (tasks as Frame[]).map(({ name }) => name);
  assert.deepEqual(names, ["api", "job"]);
  const ghost = await socket.ask("remove_task", { ...SHOP, task: "ghost" });
  checkShape(ghost, { removed: false, error: "unknown_task" }, "remove_task");
}

async function order({ port }: World): Promise<void> {
  await using socket = await TestWebSocket.open({ port });
  const wait = (task: string) => ({
    command: "task.wait",
    params: { scope: SHOP, tasks: [task], for: "stopped" },
  });
  await socket.ask("start", { ...SHOP, task: "job" });
  // Those without an id in their order, those with one meanwhile.
  socket.send(wait("job"));
  socket.send({ command: "ping" });
  socket.send({ ...wait("job"), id: "later" });
  const params = { ...SHOP, task: "job" };
  socket.send({ id: 7.5, command: "stop", params });
  const got: unknown[] = [];
  for (let count = 0; count < 4; count++) {
    const { id, command } = await socket.next();
    got.push(id ?? command);
  }
  assert.deepEqual(
    got.filter((each) => each === "task.wait" || each === "ping"),
    ["task.wait", "ping"],
  );
  assert.ok(got.includes("later") && got.includes(7.5), String(got));
  // Who withdraws gets an answer all the same.
  socket.send({ id: 1, ...wait("api") });
  socket.send({ id: 2, command: "cancel", params: { id: 1 } });
  const [one, two] = [await socket.next(), await socket.next()]
    .toSorted((a, b) => Number(a["id"]) - Number(b["id"]));
  checkShape(one!, { id: 1, ok: false, error_code: "E600" }, "withdrawn");
  checkShape(two!, { id: 2, ok: true, cancelled: true }, "cancel");
}

async function hostile({ port }: World): Promise<void> {
  await using socket = await TestWebSocket.open({ port });
  socket.send(new Uint8Array([1, 2, 3]));
  checkShape(await socket.next(), { error: "invalid_json" }, "binary");
  socket.send("[".repeat(500_000));
  checkShape(await socket.next(), { error: "invalid_json" }, "open");
  const deep = 100_000;
  socket.send(
    `{"command":"ping","params":{"a":${"[".repeat(deep)}${"]".repeat(deep)}}}`,
  );
  checkShape(await socket.next(), { error: "invalid_json" }, "deep");
  for (let id = 0; id < 300; id++) {
    const params = { scope: SHOP, tasks: ["api"], for: "stopped" };
    socket.send({ id, command: "task.wait", params });
  }
  for (let count = 0; count < 44; count++) {
    const answer = await socket.next();
    checkShape(answer, { ok: false, error: "too_many" }, "300 in flight");
    assert.ok(Number(answer["id"]) >= 256);
  }
  // Without an id nobody could tell which question that would answer.
  socket.send({ command: "ping" });
  assert.equal((await socket.closed).code, 1013);
  await using huge = await TestWebSocket.open({ port });
  huge.send(`"${"x".repeat(1024 * 1024)}"`);
  assert.equal((await huge.closed).code, 1009);
  await using next = await TestWebSocket.open({ port });
  checkShape(await next.ask("ping"), { ok: true }, "the next client");
}

async function pins({ port }: World): Promise<void> {
  const query = "?session=shop&access=read";
  await using socket = await TestWebSocket.open({ port, query });
  checkShape(await socket.ask("hello"), { pin: "shop", access: "read" }, "");
  const own = await socket.ask("status");
  checkShape(own, { session: "shop", data: { session_name: "shop" } }, "");
  const violation = { ok: false, error: "pin_violation" };
  const other = { scope: { session: "other" } };
  const refused = [
    await socket.ask("status", { session: "other" }),
    await socket.ask("task.status", other),
    await socket.ask("subscribe", { to: "events", session: "other" }),
    await socket.ask("subscribe", { to: "logs", session: "other" }),
  ];
  for (const answer of refused) checkShape(answer, violation, "pinned");
  const all = await socket.ask("status_all");
  checkShape(all, { data: { count: 1, projects: [SHOP] } }, "status_all");
  checkShape(await socket.ask("list_projects"), { count: 2 }, "list_projects");
  const readOnly = { ok: false, error: "read_only" };
  const start = await socket.ask("start", { ...SHOP, task: "job" });
  checkShape(start, { session: "shop", ...readOnly }, "start");
  const stop = await socket.ask("task.stop", { tasks: ["api"] });
  checkShape(stop, readOnly, "task.stop");
}

async function callers({ port, taskmux }: World): Promise<void> {
  const query = "?caller=script";
  await using socket = await TestWebSocket.open({ port, query });
  const first = await socket.ask("ping");
  assert.deepEqual(first["recent_events"], []);
  const restarted = await socket.ask("restart", { ...SHOP, task: "api" });
  const types = (frame: Frame): unknown[] =>
    (frame["recent_events"] as Frame[]).map(({ event }) => event);
  assert.ok(types(restarted).includes("task_restarted"), "what it did itself");
  await until(async () => types(await socket.ask("ping")).length === 0);
  const log = await Deno.readTextFile(taskmux.home.paths.daemonLog);
  assert.match(log, /websocket script.*task\.restart/, "who changed what");
  await using other = await TestWebSocket.open({ port });
  assert.ok(!("recent_events" in await other.ask("ping")), "for nobody");
}

async function events({ port }: World): Promise<void> {
  await using socket = await TestWebSocket.open({ port });
  await using bystander = await TestWebSocket.open({ port });
  const params = { to: "events", ...SHOP, types: ["task_restarted"] };
  const begun = await socket.ask("subscribe", params);
  checkShape(begun, { ok: true, subscription: 1, cursor: String }, "");
  const restart = (): Promise<Frame> =>
    bystander.ask("restart", { ...SHOP, task: "api" });
  await restart();
  const push = await socket.next();
  checkShape(push, { type: "event", subscription: 1, cursor: String }, "");
  checkShape(push["data"] as Frame, {
    event: "task_restarted",
    ...SHOP,
    task: "api",
  }, "event");
  assert.ok(!("id" in push) && !("command" in push));
  checkShape(await socket.ask("unsubscribe", { subscription: 1 }), {
    ok: true,
  }, "");
  await restart();
  assert.deepEqual(socket.frames, [], "nothing is pushed after that");
  assert.deepEqual(bystander.frames, [], "nor to who did not subscribe");
  // From the first cursor on: both, once.
  const again = await socket.ask("subscribe", {
    ...params,
    cursor: begun["cursor"],
  });
  checkShape(again, { subscription: 2, cursor: begun["cursor"] }, "");
  const cursors = [await socket.next(), await socket.next()]
    .map(({ cursor }) => Number(cursor));
  assert.equal(cursors[0], Number(push["cursor"]));
  await restart();
  const third = await socket.next();
  assert.ok(Number(third["cursor"]) > cursors[1]! && cursors[1]! > cursors[0]!);
}

async function logs({ port, project }: World): Promise<void> {
  await project.replace(`${TOML}
[tasks.count]
command = "for i in $(seq 1 2000); do echo line $i; done; sleep 1000"
`);
  await using socket = await TestWebSocket.open({ port });
  await socket.ask("resync", SHOP);
  await socket.ask("task.wait", {
    scope: SHOP,
    tasks: ["count"],
    for: "log:/^line 2000$/",
  });
  const params = { to: "logs", ...SHOP, tasks: ["count"], lines: null };
  const begun = await socket.ask("subscribe", params);
  checkShape(begun, { ok: true, subscription: 1 }, "subscribe");
  const texts: string[] = [];
  let held: string[] = [];
  let cursor: unknown = null;
  while (texts.length === 0) {
    const push = await socket.next();
    checkShape(push, { type: "log", subscription: 1 }, "push");
    held.push(...textsOf(push));
    if (push["cursor"] === null) continue;
    texts.push(...held);
    held = [];
    cursor = push["cursor"];
  }
  assert.ok(texts.length < 2000, "the rest is still to come");
  // The rest on another connection.
  await using other = await TestWebSocket.open({ port });
  await other.ask("subscribe", { ...params, cursor });
  const rest: string[] = [];
  while (rest.at(-1) !== "line 2000") {
    rest.push(...textsOf(await other.next()));
  }
  assert.deepEqual(
    [...texts, ...rest],
    Array.from({ length: 2000 }, (_, index) => `line ${index + 1}`),
  );
}

function textsOf({ data }: Frame): string[] {
  return (data as Frame[]).map(({ text }) => String(text));
}
