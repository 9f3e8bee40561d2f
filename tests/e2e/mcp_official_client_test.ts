/**
 * The official TypeScript client against a real daemon, over Streamable HTTP and over stdio: it checks what the protocol
 * and the schemas of our tools promise.
 *
 * @module
 */

import assert from "node:assert/strict";
import { cliCommand } from "../support/deno_flags.ts";
import { mcpUrl } from "../support/mcp_client.ts";
import {
  Client,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  StdioClientTransport,
  StreamableHTTPClientTransport,
} from "../support/mcp_sdk.ts";
import type { TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const SHOP = `
name = "shop"
[tasks.web]
command = "echo up; exec sleep 1000"
[tasks.db]
command = "exec sleep 1000"
`;

/** Connects the client. Its transport is closed with it. */
type Connect = (client: Client, taskmux: Taskmux) => Promise<void>;

/** Breaks the client's stream of events when it is told to, as a network does. */
class BreakingFetch {
  #streams = 0;
  #break: (() => void) | null = null;

  /** Streams that were opened until now. */
  get streams(): number {
    return this.#streams;
  }

  /** Ends the stream of events. */
  break(): void {
    this.#break?.();
  }

  readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
  ): Promise<Response> => {
    const response = await fetch(input, init);
    if (init.method !== "GET" || !response.ok) return response;
    const { readable, writable } = new TransformStream<Uint8Array>();
    const broken = new AbortController();
    this.#break = () => broken.abort(new TypeError("the network is down"));
    response.body?.pipeTo(writable, { signal: broken.signal }).catch(() => {});
    this.#streams++;
    return new Response(readable, response);
  };
}

const overHttp: Connect = async (client, taskmux) => {
  const url = new URL(await mcpUrl(taskmux, "session=shop"));
  await client.connect(new StreamableHTTPClientTransport(url));
};

const overStdio: Connect = async (client, taskmux) => {
  const { program, args } = cliCommand(taskmux.home.paths, [
    "mcp",
    "serve",
    "--session",
    "shop",
  ]);
  const { env, work: cwd } = taskmux.home;
  await client.connect(
    new StdioClientTransport({ command: program, args, env: { ...env }, cwd }),
  );
};

/** What the server told unasked. */
interface Told {
  readonly updated: string[];
  readonly messages: { readonly level: string; readonly text: string }[];
}

function listen(client: Client): Told {
  const told: Told = { updated: [], messages: [] };
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void told.updated.push(params.uri),
  );
  client.setNotificationHandler(
    LoggingMessageNotificationSchema,
    ({ params: { level, data } }) =>
      void told.messages.push({ level, text: JSON.stringify(data) }),
  );
  return told;
}

async function checkTools(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  assert(tools.length >= 10, tools.map(({ name }) => name).join(" "));
  // The client checks structured content against the schema of the tool's output.
  for (const name of ["status", "health", "events", "list_projects"]) {
    const answer = await client.callTool({ name: `taskmux_${name}` });
    assert.notEqual(answer.isError, true, `${name}: ${JSON.stringify(answer)}`);
    assert(typeof answer.structuredContent === "object", name);
  }
  const failed = await client.callTool({
    name: "taskmux_inspect",
    arguments: { task: "ghost" },
  });
  assert.equal(failed.isError, true);
  await assert.rejects(client.callTool({ name: "taskmux_ghost" }), {
    code: -32602,
  });
}

async function checkResources(client: Client): Promise<void> {
  const { resources } = await client.listResources();
  const uris = resources.map(({ uri }) => uri);
  assert(uris.includes("taskmux://status"), uris.join(" "));
  for (const uri of [...uris, "taskmux://logs/shop/web"]) {
    const { contents } = await client.readResource({ uri });
    assert.equal(contents[0]?.uri, uri);
  }
  const { resourceTemplates } = await client.listResourceTemplates();
  assert.equal(
    resourceTemplates[0]?.uriTemplate,
    "taskmux://logs/{session}/{task}",
  );
  await assert.rejects(client.readResource({ uri: "taskmux://ghost" }), {
    code: -32002,
  });
}

async function checkNotifications(
  client: Client,
  told: Told,
  project: TestProject,
): Promise<void> {
  await client.setLoggingLevel("info");
  await client.subscribeResource({ uri: "taskmux://status" });
  const stopped = await client.callTool({
    name: "taskmux_stop",
    arguments: { task: "db" },
  });
  assert.notEqual(stopped.isError, true);
  await until(() => told.updated.includes("taskmux://status"), {
    what: "the resource has changed",
  });
  await until(
    () =>
      told.messages.some(({ level, text }) =>
        level === "info" && text.includes("task_stopped")
      ),
    { what: "the stop is told" },
  );
  await client.unsubscribeResource({ uri: "taskmux://status" });
  assert.equal((await project.task("db")).state, "stopped");
}

/** Progress of a long tool, and its end when the client withdraws. */
async function checkLongTool(client: Client): Promise<void> {
  const progress: number[] = [];
  const started = await client.callTool(
    { name: "taskmux_start", arguments: { task: "db" } },
    undefined,
    { onprogress: (each) => void progress.push(each.progress) },
  );
  assert.notEqual(started.isError, true);
  assert(progress.length > 0, "progress");
  const withdrawing = new AbortController();
  const waiting = client.callTool(
    {
      name: "taskmux_wait",
      arguments: { task: "web", for: "log:/never/", timeout: 600 },
    },
    undefined,
    { signal: withdrawing.signal },
  );
  await client.ping();
  withdrawing.abort("enough");
  await assert.rejects(waiting, /enough/);
  await client.ping();
}

for (const [name, connect] of Object.entries({ overHttp, overStdio })) {
  Deno.test({
    name: `the official TypeScript client gets on ${
      name === "overHttp" ? "over Streamable HTTP" : "over stdio"
    }`,
    // The SDK's transports leave timers behind when they are closed.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using taskmux = await testTaskmux();
      const project = await taskmux.project(SHOP);
      await project.ok(["start"]);
      const client = new Client({ name: "official", version: "1" });
      const told = listen(client);
      await connect(client, taskmux);
      try {
        assert.equal(client.getServerVersion()?.name, "taskmux");
        assert(client.getServerCapabilities()?.logging !== undefined);
        await checkTools(client);
        await checkResources(client);
        await checkNotifications(client, told, project);
        await checkLongTool(client);
      } finally {
        await client.close();
      }
    },
  });
}

Deno.test({
  name: "the official TypeScript client misses nothing when its stream breaks",
  // As above.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(SHOP);
    await project.ok(["start"]);
    const client = new Client({ name: "official", version: "1" });
    const { messages } = listen(client);
    const net = new BreakingFetch();
    const url = new URL(await mcpUrl(taskmux, "session=shop"));
    await client.connect(
      new StreamableHTTPClientTransport(url, {
        fetch: net.fetch,
        reconnectionOptions: {
          initialReconnectionDelay: 10,
          maxReconnectionDelay: 1_000,
          reconnectionDelayGrowFactor: 1.5,
          maxRetries: 10,
        },
      }),
    );
    try {
      const isTold = (text: string) => () =>
        messages.some((each) => each.text.includes(text));
      await until(() => net.streams === 1, { what: "the stream is open" });
      await project.ok(["stop", "db"]);
      await until(isTold("task_stopped"), { what: "the stop is told" });
      for (const round of [1, 2]) {
        net.break();
        await project.ok(["kill", "web"]);
        await project.ok(["start", "web"]);
        await until(() => net.streams === round + 1, { what: "it came back" });
      }
      const expected = (await project.events()).map(({ seq }) => seq)
        .filter((seq) => seq >= firstSeq(messages));
      await until(() => messages.length >= expected.length, {
        what: "every event is told",
      });
      assert.deepEqual(
        messages.map(({ text }) => JSON.parse(text).seq),
        expected,
      );
    } finally {
      await client.close();
    }
  },
});

function firstSeq([first]: Told["messages"]): number {
  assert(first !== undefined);
  return JSON.parse(first.text).seq;
}
