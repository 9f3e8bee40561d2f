/**
 * What a client of MCP can read, and what it is told unasked: to whom it is told, how loud, and about which project.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type Json,
  type McpClient,
  mcpClient,
  type McpClientOptions,
  type Message,
  messagesOf,
} from "../support/mcp_client.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const SECRET = "sk-live-0123456789abcdef0123";

const SHOP = `
name = "shop"
[tasks.web]
command = "while read -r line; do echo \\"got $line $API_TOKEN\\"; done < pipe; exec sleep 1000"
env = { API_TOKEN = "${SECRET}" }
[tasks.quiet]
command = "exec sleep 1000"
`;

const BLOG = `
name = "blog"
[tasks.web]
command = "exec sleep 1000"
[tasks.crash]
command = "exit 3"
restart_policy = "no"
auto_start = false
`;

/** A client, and all that it was told. */
class Listener implements AsyncDisposable {
  readonly client: McpClient;
  readonly heard: Message[] = [];
  readonly #ending: AbortController;
  readonly #listening: Promise<void>;

  constructor(client: McpClient, stream: Response, ending: AbortController) {
    this.client = client;
    this.#ending = ending;
    this.#listening = this.#listen(stream);
  }

  of(method: string): Json[] {
    return this.heard.filter((message) => message.method === method)
      .map(({ params }) => params ?? {});
  }

  /** Types of events that it was told, with their task. */
  get events(): string[] {
    return this.of("notifications/message").map(({ data }) => {
      const { event, session, task } = data as Json;
      return [session, task, event].filter((word) => word !== undefined)
        .join(" ");
    });
  }

  get updated(): unknown[] {
    return this.of("notifications/resources/updated").map(({ uri }) => uri);
  }

  async read(uri: string): Promise<string> {
    const { contents: [content] } = await this.client.request<
      { contents: { uri: string; text: string }[] }
    >("resources/read", { uri });
    assert.equal(content?.uri, uri);
    return content.text;
  }

  async uris(): Promise<string[]> {
    const { resources } = await this.client.request<
      { resources: { uri: string }[] }
    >("resources/list");
    return resources.map(({ uri }) => uri);
  }

  async #listen(stream: Response): Promise<void> {
    try {
      for await (const message of messagesOf(stream)) this.heard.push(message);
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#listening;
    await this.client[Symbol.asyncDispose]();
  }
}

async function listener(
  taskmux: Taskmux,
  options: McpClientOptions = {},
): Promise<Listener> {
  const client = await mcpClient(taskmux, options);
  const ending = new AbortController();
  // Nothing is told before there is somebody to tell it to.
  const stream = await fetch(client.url, {
    headers: { ...client.headers, accept: "text/event-stream" },
    signal: ending.signal,
  });
  assert.equal(stream.status, 200);
  return new Listener(client, stream, ending);
}

Deno.test("resources are read, followed and filtered, and events are told", async (t) => {
  await using taskmux = await testTaskmux();
  const shop = await taskmux.project(SHOP, "shop");
  const blog = await taskmux.project(BLOG, "blog");
  await new Deno.Command("mkfifo", { args: [`${shop.folder}/pipe`] }).output();
  await shop.ok(["start"]);
  await blog.ok(["start"]);
  using pipe = await Deno.open(`${shop.folder}/pipe`, { write: true });
  const type = (text: string): Promise<number> =>
    pipe.write(new TextEncoder().encode(`${text}\n`));
  await using all = await listener(taskmux);
  await using pinned = await listener(taskmux, { query: "session=shop" });

  await t.step("only what is there is declared", () => {
    assert.deepEqual(all.client.server["capabilities"], {
      tools: {},
      resources: { subscribe: true, listChanged: true },
      logging: {},
    });
  });
  await t.step("resources", () => checkResources(all, pinned));
  await t.step("a log is followed by its subscribers", async () => {
    await type("one");
    await followLog(all, pinned, type);
  });
  await t.step("state is followed by its subscribers", async () => {
    await followStatus(all, pinned, () => blog.ok(["restart", "web"]));
  });
  await t.step("events are told with their level", async () => {
    await blog.fails("E403", ["start", "crash"]);
    await blog.ok(["kill", "web"]);
    await until(() => all.events.includes("blog web task_killed"));
    checkLevels(all);
    await shop.ok(["stop", "quiet"]);
    await until(() => pinned.events.includes("shop quiet task_stopped"));
    assert.deepEqual(pinned.events.filter((e) => e.startsWith("blog")), []);
  });
  await t.step("the list changes with projects and tasks", async () => {
    await followList({ taskmux, all, pinned });
  });
  await t.step("a level is of one connection", async () => {
    await setLevels(all, pinned, async () => {
      await shop.ok(["start", "quiet"]);
      await shop.ok(["kill", "quiet"]);
    });
  });
  assert.ok(!JSON.stringify([all.heard, pinned.heard]).includes(SECRET));
});

async function checkResources(all: Listener, pinned: Listener): Promise<void> {
  const general = [
    "taskmux://status",
    "taskmux://projects",
    "taskmux://events/recent",
  ];
  assert.deepEqual(
    (await all.uris()).toSorted(),
    [
      ...general,
      "taskmux://logs/blog/crash",
      "taskmux://logs/blog/web",
      "taskmux://logs/shop/quiet",
      "taskmux://logs/shop/web",
    ].toSorted(),
  );
  assert.deepEqual(await pinned.uris(), [
    ...general,
    "taskmux://logs/shop/web",
    "taskmux://logs/shop/quiet",
  ]);
  const { resourceTemplates: [template] } = await all.client.request<
    { resourceTemplates: { uriTemplate: string }[] }
  >("resources/templates/list");
  assert.equal(template?.uriTemplate, "taskmux://logs/{session}/{task}");

  const status = JSON.parse(await pinned.read("taskmux://status"));
  assert.deepEqual(
    status.projects.map(({ session }: Json) => session),
    ["shop"],
  );
  const [web] = status.projects[0].tasks;
  assert.equal(web.name, "web");
  assert.equal(
    JSON.parse(await all.read("taskmux://status")).projects.length,
    2,
  );
  const { projects } = JSON.parse(await all.read("taskmux://projects"));
  assert.equal(projects.length, 2);
  const { events } = JSON.parse(await pinned.read("taskmux://events/recent"));
  assert.ok(events.length > 0);
  assert.ok(events.every(({ session }: Json) => session !== "blog"));

  const foreign = { uri: "taskmux://logs/blog/web" };
  for (const method of ["resources/read", "resources/subscribe"]) {
    const { error } = await pinned.client.send(method, foreign);
    assert.match(error?.message ?? "", /Cannot use session "blog"/);
    assert.deepEqual((error as Json)["data"], {
      error: "pin_violation",
      pinned_session: "shop",
      requested_session: "blog",
    });
    for (
      const uri of [
        "taskmux://logs/shop/none",
        "taskmux://logs/none/web",
        "taskmux://logs/%ff/web",
        "taskmux://nothing",
        "file:///etc/passwd",
      ]
    ) {
      const missing = await all.client.send(method, { uri });
      assert.equal(missing.error?.code, -32002, `${method} ${uri}`);
      assert.deepEqual(missing.error?.data, { uri });
    }
  }
}

async function followLog(
  all: Listener,
  pinned: Listener,
  type: (text: string) => Promise<number>,
): Promise<void> {
  const uri = "taskmux://logs/shop/web";
  await until(async () => (await pinned.read(uri)).includes("got one"));
  await pinned.client.request("resources/subscribe", { uri });
  await pinned.client.request("resources/subscribe", {
    uri: "taskmux://logs/shop/quiet",
  });
  assert.deepEqual(pinned.updated, []);
  await type("two");
  await until(() => pinned.updated.length > 0);
  const text = await pinned.read(uri);
  assert.match(text, /got two/);
  assert.ok(!text.includes(SECRET), text);
  assert.deepEqual([...new Set(pinned.updated)], [uri]);
  assert.deepEqual(all.updated, []);

  await pinned.client.request("resources/unsubscribe", { uri });
  await all.client.request("resources/subscribe", { uri });
  const before = pinned.updated.length;
  await type("three");
  await until(() => all.updated.includes(uri));
  assert.equal(pinned.updated.length, before);
  await all.client.request("resources/unsubscribe", { uri });
}

async function followStatus(
  all: Listener,
  pinned: Listener,
  change: () => Promise<unknown>,
): Promise<void> {
  const uri = "taskmux://status";
  const events = "taskmux://events/recent";
  await all.client.request("resources/subscribe", { uri });
  await pinned.client.request("resources/subscribe", { uri });
  await pinned.client.request("resources/subscribe", { uri: events });
  await change();
  await until(() => all.updated.includes(uri));
  // All that it may be told of that came before what is told now.
  await until(() => all.events.includes("blog web task_restarted"));
  assert.ok(!pinned.updated.includes(uri), "of another project");
  assert.ok(!pinned.updated.includes(events), "of another project");
  assert.ok(!all.updated.includes(events), "not subscribed");
  await all.client.request("resources/unsubscribe", { uri });
}

function checkLevels(all: Listener): void {
  const levels = new Map(
    all.of("notifications/message").map(({ level, logger, data }) => {
      const { session, task, event, seq } = data as Json;
      assert.equal(logger, "taskmux");
      assert.equal(typeof seq, "number");
      return [`${session} ${task} ${event}`, level];
    }),
  );
  assert.equal(levels.get("blog web task_restarted"), "info");
  assert.equal(levels.get("blog crash task_exited"), "error");
  assert.equal(levels.get("blog crash task_failed"), "error");
  assert.equal(levels.get("blog web task_exited"), "info");
  assert.equal(levels.get("blog web task_killed"), "warning");
}

async function followList(
  { taskmux, all, pinned }: {
    readonly taskmux: Taskmux;
    readonly all: Listener;
    readonly pinned: Listener;
  },
): Promise<void> {
  const changes = (who: Listener): number =>
    who.of("notifications/resources/list_changed").length;
  const begun = [changes(all), changes(pinned)];
  assert.deepEqual(begun, [0, 0]);
  const late = await taskmux.project(
    'name = "late"\n[tasks.a]\ncommand = "sleep 1000"\n',
    "late",
  );
  await late.ok(["daemon", "register"]);
  await until(() => changes(all) === 1);
  assert.ok((await all.uris()).includes("taskmux://logs/late/a"));
  // Other tasks make another list, other settings of the same do not.
  await late.replace('name = "late"\n[tasks.a]\ncommand = "sleep 999"\n');
  await until(() => all.events.includes("late config_reloaded"));
  await late.ok(["run", "once", "--", "sleep", "1000"]);
  await until(() => changes(all) === 2);
  assert.ok((await all.uris()).includes("taskmux://logs/late/once"));
  await late.ok(["daemon", "unregister", "late"]);
  await until(() => changes(all) === 3);
  assert.ok(!(await all.uris()).includes("taskmux://logs/late/a"));
  assert.equal(changes(pinned), 0);
}

async function setLevels(
  all: Listener,
  pinned: Listener,
  change: () => Promise<unknown>,
): Promise<void> {
  await pinned.client.request("logging/setLevel", { level: "warning" });
  const wrong = await pinned.client.send("logging/setLevel", { level: "loud" });
  assert.notEqual(wrong.error, undefined);
  await change();
  const [started, killed] = [
    "shop quiet task_started",
    "shop quiet task_killed",
  ];
  await until(() => pinned.events.includes(killed));
  await until(() => all.events.includes(started));
  // It came before the other one, and was never told before.
  assert.ok(!pinned.events.includes(started));
}

Deno.test("a filter of the host names the events that are told", async () => {
  await using taskmux = await testTaskmux({
    hostConfig:
      'api_port = 0\nproxy_enabled = false\n[mcp]\nfilter = ["task_stopped"]\n',
  });
  const shop = await taskmux.project('name = "s"\n[tasks]\na = "sleep 1000"\n');
  await shop.ok(["start"]);
  await using told = await listener(taskmux);
  await told.client.request("resources/subscribe", { uri: "taskmux://status" });
  await shop.ok(["restart", "a"]);
  await until(() => told.updated.length > 0);
  await shop.ok(["stop"]);
  await until(() => told.events.includes("s a task_stopped"));
  assert.deepEqual(told.events, ["s a task_stopped"]);
});
