import assert from "node:assert/strict";
import { SESSION_LIMITS } from "../../src/mcp/mcp_sessions.ts";
import { startMcpFixture } from "../support/mcp_fixture.ts";
import { McpWire, type WireMessage } from "../support/mcp_wire.ts";
import { until } from "../support/until.ts";

/** What the SDK of ours speaks, the newest first. */
const VERSIONS = [
  "2025-11-25",
  "2025-06-18",
  "2025-03-26",
  "2024-11-05",
  "2024-10-07",
];

/** Of each message the resource that it is about. */
function uris(messages: readonly (WireMessage | null)[]): unknown[] {
  return messages.map((each) => each?.params?.["uri"]);
}

/** The text of a tool's answer. */
function textOf(answer: WireMessage | null): string | undefined {
  const content = answer?.result?.["content"];
  return (content as { text: string }[] | undefined)?.[0]?.text;
}

/** The status with which the end of a session is answered. */
async function deletion(wire: McpWire): Promise<number> {
  const response = await wire.send({ method: "DELETE" });
  await response.body?.cancel();
  return response.status;
}

/** What a tool of the fixture was granted. */
async function accessOf(wire: McpWire): Promise<unknown> {
  const answer = await wire.ask("tools/call", { name: "echo" });
  return JSON.parse(textOf(answer) ?? "{}").access;
}

Deno.test("every version that the SDK knows is spoken, any other gets the newest", async () => {
  await using fixture = await startMcpFixture();
  for (const version of VERSIONS) {
    await using wire = new McpWire(fixture.url, version);
    const { result } = await wire.initialize();
    assert.equal(result?.["protocolVersion"], version);
    const list = await wire.ask("tools/list");
    assert.equal((list.result?.["tools"] as unknown[]).length, 2, version);
  }
  await using old = new McpWire(fixture.url, "1999-01-01");
  const { result } = await old.initialize();
  assert.equal(result?.["protocolVersion"], VERSIONS[0]);
  const refused = await old.send({
    body: { jsonrpc: "2.0", id: 9, method: "ping" },
  });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /Unsupported protocol version/);
});

Deno.test("a session begins, is asked for by its id, and ends", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  const ping = { jsonrpc: "2.0", id: 9, method: "ping" };
  const statusOf = async (
    request: Parameters<McpWire["send"]>[0],
  ): Promise<number> => {
    const response = await wire.send(request);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await statusOf({ body: ping }), 400);
  assert.equal(await statusOf({ method: "GET" }), 400);
  assert.equal(await statusOf({ method: "DELETE" }), 400);
  wire.session = crypto.randomUUID();
  assert.equal(await statusOf({ body: ping }), 404);
  assert.equal(await statusOf({ method: "GET" }), 404);
  assert.equal(await statusOf({ method: "DELETE" }), 404);
  assert.equal(await statusOf({ method: "PUT" }), 405);
  // It would be kept for as long as the session.
  const greeting = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-11-25",
      capabilities: { experimental: { x: { y: "x".repeat(100_000) } } },
      clientInfo: { name: "wire", version: "1" },
    },
  };
  assert.equal(await statusOf({ body: greeting }), 413);
  assert.equal(fixture.sessions.views().length, 0);
  await wire.initialize();
  assert.equal(fixture.sessions.views().length, 1);
  assert.equal(fixture.sessions.views()[0]?.client, "wire 1");
  assert.deepEqual(await wire.ask("ping"), {
    jsonrpc: "2.0",
    id: 2,
    result: {},
  });
  assert.equal(await statusOf({ body: "{" }), 400);
  assert.equal(await statusOf({ body: "[]" }), 202);
  assert.equal(
    await statusOf({ body: Array.from({ length: 101 }, () => ping) }),
    429,
  );
  assert.equal(await statusOf({ body: [ping, ping] }), 400);
  assert.equal(await statusOf({ body: `"${"x".repeat(5_000_000)}"` }), 413);
  const headers = { "content-type": "text/plain" };
  assert.equal(await statusOf({ body: ping, headers }), 415);
  assert.equal(await statusOf({ body: ping, headers: { accept: "*/*" } }), 406);
  assert.equal(await statusOf({ method: "DELETE" }), 200);
  assert.equal(await statusOf({ body: ping }), 404);
  assert.deepEqual(fixture.sessions.views(), []);
});

Deno.test("a session that a client was told to be unknown is replaced by a new one", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  wire.session = "of an earlier daemon";
  const { result } = await wire.initialize();
  assert.equal(result?.["protocolVersion"], "2025-11-25");
  assert.notEqual(wire.session, "of an earlier daemon");
  assert.deepEqual((await wire.ask("ping")).result, {});
});

Deno.test("what the address grants is fixed when the session begins", async () => {
  await using fixture = await startMcpFixture();
  await using shop = new McpWire(fixture.url);
  await using blog = new McpWire(fixture.url);
  await using any = new McpWire(fixture.url);
  await shop.initialize("?session=shop&access=read");
  await blog.initialize("?session=%20blog%20");
  await any.initialize("?session=");
  const grants = await Promise.all([shop, blog, any].map(accessOf));
  assert.deepEqual(grants, [
    { pin: "shop", isReadOnly: true },
    { pin: "blog", isReadOnly: false },
    { pin: null, isReadOnly: false },
  ]);
  const ask = async (wire: McpWire, query: string): Promise<string> => {
    const body = { jsonrpc: "2.0", id: 77, method: "ping" };
    const response = await wire.send({ body, query });
    return `${response.status} ${await response.text()}`;
  };
  assert.match(await ask(shop, "?session=shop"), /^200 /);
  assert.match(
    await ask(shop, "?session=blog"),
    /^400 .*\\"blog\\".*\\"shop\\"/,
  );
  assert.match(await ask(shop, "?access=full"), /^400 .*access/);
  assert.match(await ask(blog, "?access=read"), /^400 .*access/);
  assert.match(await ask(any, "?session=shop"), /^400 .*no session/);
  assert.match(await ask(blog, "?session=blog&session=shop"), /^400 /);
  assert.deepEqual(await accessOf(blog), { pin: "blog", isReadOnly: false });
});

Deno.test("an address that cannot be meant begins no session", async () => {
  await using fixture = await startMcpFixture();
  for (
    const [query, expected] of [
      ["?session=Shop", /Cannot connect to session "Shop"/],
      ["?session=../etc", /Cannot connect to session/],
      [`?session=${"x".repeat(64)}`, /Cannot connect to session/],
      ["?session=a&session=b", /"a" and "b"/],
      ["?access=readonly", /"readonly"/],
      ["?access=read&access=full", /either "read" or "full"/],
      ["?sesion=shop", /"sesion"/],
    ] as const
  ) {
    await using wire = new McpWire(fixture.url);
    const { error } = await wire.initialize(query);
    assert.match(error?.message ?? "", expected);
    assert.equal(wire.session, null);
  }
  assert.deepEqual(fixture.sessions.views(), []);
});

Deno.test("events: nothing lost and nothing twice, wherever the connection breaks", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  await wire.beginCall("hold");
  const { context } = await fixture.nextHeld();
  let events = await wire.follow();
  // Where it stands, before anything happened.
  assert.deepEqual((await events.next())?.message, null);
  const second = await wire.follow();
  assert.equal(second.status, 409);
  const told: string[] = [];
  const seen: unknown[] = [];
  const tell = async (): Promise<void> => {
    const uri = `test://${told.length}`;
    told.push(uri);
    await fixture.tell(context, uri);
  };
  for (let round = 0; round < 4; round++) {
    // The first connection breaks without having brought anything.
    for (let n = 0; n < round; n++) await tell();
    for (let n = 0; n < round; n++) {
      seen.push(...uris([await events.message()]));
    }
    if (round % 2 === 0) events.cut();
    for (let n = 0; n < 3; n++) await tell();
    const resumed = await wire.follow(events.last);
    assert.equal(resumed.status, 200);
    // Where it stands, again: clients forget that with each connection.
    assert.deepEqual(await resumed.next(), { id: events.last, message: null });
    events = resumed;
    for (let n = 0; n < 3; n++) seen.push(...uris([await events.message()]));
    await tell();
    seen.push(...uris([await events.message()]));
  }
  assert.deepEqual(seen, told);
});

Deno.test("a long call: its messages and its answer come once, wherever the connection breaks", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  const params = { name: "hold" };
  const first = await wire.begin("tools/call", params, "long");
  const { context, release } = await fixture.nextHeld();
  const tell = (uri: string): Promise<void> =>
    context.server.notification(
      { method: "notifications/resources/updated", params: { uri } },
      { relatedRequestId: "long" },
    );
  await tell("test://1");
  const begun = await first.next();
  assert.equal(begun?.message, null);
  assert.deepEqual(uris([await first.message()]), ["test://1"]);
  first.cut();
  await tell("test://2");
  const second = await wire.follow(first.last);
  assert.deepEqual(uris([await second.message()]), ["test://2"]);
  await tell("test://3");
  assert.deepEqual(uris([await second.message()]), ["test://3"]);
  second.cut();
  await until(() => fixture.sessions.views()[0]?.streams === 0);
  await tell("test://4");
  release("done");
  const third = await wire.follow(second.last);
  const [told, answer, ...more] = await third.rest();
  assert.deepEqual(uris([told ?? null]), ["test://4"]);
  assert.equal(textOf(answer ?? null), "done");
  assert.deepEqual(more, []);
  // From the beginning once more, as a client that was not sure would.
  const again = await wire.follow(begun?.id ?? "");
  assert.equal((await again.rest()).length, 5);
  // There is nothing more to come, and a client that asks is told to stop asking.
  assert.equal((await wire.follow(third.last)).status, 204);
  const unknown = await wire.follow("1.no-such-stream");
  assert.equal(unknown.status, 400);
});

Deno.test("news count as told when the answer was taken, or is kept for a client that can come back", async () => {
  await using fixture = await startMcpFixture();
  const settled = async (): Promise<boolean | undefined> => {
    await until(() => fixture.settled.length === 1);
    return fixture.settled.pop();
  };
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  const args = { news: true };
  const taken = await wire.beginCall("hold", args);
  (await fixture.nextHeld()).release();
  assert.equal((await taken.rest()).length, 1);
  assert.equal(await settled(), true);

  const kept = await wire.beginCall("hold", args);
  await kept.next();
  const keptCall = await fixture.nextHeld();
  kept.cut();
  await until(() => fixture.sessions.views()[0]?.streams === 0);
  keptCall.release("kept");
  assert.equal(await settled(), true);
  const resumed = await wire.follow(kept.last);
  assert.deepEqual((await resumed.rest()).map(textOf), ["kept"]);

  // A client of this version is given nothing to come back with.
  await using old = new McpWire(fixture.url, "2025-06-18");
  await old.initialize();
  const lost = await old.beginCall("hold", args);
  const lostCall = await fixture.nextHeld();
  lost.cut();
  await until(() => fixture.sessions.views()[1]?.streams === 0);
  lostCall.release();
  assert.equal(await settled(), false);

  const ended = await wire.beginCall("hold", args);
  const endedCall = await fixture.nextHeld();
  assert.equal(await deletion(wire), 200);
  assert.deepEqual(await ended.rest(), []);
  assert.ok(endedCall.context.connection.signal.aborted);
  endedCall.release();
  assert.equal(await settled(), false);
});

Deno.test("a withdrawn request is over at once, and its news are lost", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  const call = await wire.begin("tools/call", {
    name: "hold",
    arguments: { news: true },
  }, "x");
  const { context, release } = await fixture.nextHeld();
  await wire.notify("notifications/cancelled", { requestId: "x" });
  assert.deepEqual(await call.rest(), []);
  // A client may take that for a broken connection. It need not come back.
  assert.equal((await wire.follow(call.last)).status, 204);
  assert.ok(context.signal.aborted);
  release();
  assert.deepEqual(fixture.settled, [false]);
  assert.equal(fixture.sessions.views()[0]?.streams, 0);
  await using old = new McpWire(fixture.url, "2025-03-26");
  await old.initialize();
  const batch = await old.send({
    body: ["a", "b"].map((id) => ({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name: "hold" },
    })),
  });
  await old.notify("notifications/cancelled", { requestId: "a" });
  await fixture.nextHeld();
  (await fixture.nextHeld()).release("b is answered");
  const text = await batch.text();
  assert.match(text, /Request cancelled/);
  assert.match(text, /b is answered/);
});

Deno.test("a session has 64 requests under way and no more, each with an id of its own", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  const calls = await Promise.all(
    Array.from({ length: 64 }, () => wire.beginCall("hold")),
  );
  const tooMany = await wire.beginCall("echo");
  assert.equal(tooMany.status, 429);
  await until(() => fixture.held.length === 64);
  fixture.held.pop()?.release();
  await until(() => fixture.sessions.views()[0]?.streams === 63);
  const twice = await wire.begin("tools/call", { name: "echo" }, 2);
  assert.equal(twice.status, 400);
  assert.equal((await wire.ask("tools/call", { name: "echo" })).id, 67);
  for (const { release } of fixture.held) release();
  await Promise.all(calls.map((call) => call.rest()));
});

Deno.test("a client that does not read loses the stream, not the session, and is told what is gone", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  await wire.beginCall("hold");
  const { context } = await fixture.nextHeld();
  const unread = await wire.follow();
  await unread.next();
  const padding = "x".repeat(10_000);
  let told = 0;
  while (fixture.sessions.views()[0]?.streams === 2) {
    assert.ok(told < 2_000, "20 MB wait for a client that does not read");
    await fixture.tell(context, `${told++} ${padding}`);
  }
  const before = uris(await unread.rest());
  assert.ok(before.length < told);
  const resumed = await wire.follow(unread.last);
  const warning = await resumed.message();
  assert.equal(warning?.method, "notifications/message");
  assert.equal(warning?.params?.["level"], "warning");
  const { gap } = warning?.params?.["data"] as { gap: number };
  const after: unknown[] = [];
  for (let n = before.length + gap; n < told; n++) {
    after.push(...uris([await resumed.message()]));
  }
  const expected = Array.from({ length: told }, (_, n) => `${n} ${padding}`);
  assert.ok(gap > 0);
  assert.deepEqual([...before, ...after], [
    ...expected.slice(0, before.length),
    ...expected.slice(before.length + gap),
  ]);
});

Deno.test("an answer that could not be kept is one with an error", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  const call = await wire.beginCall("hold");
  await call.next();
  const { release } = await fixture.nextHeld();
  call.cut();
  await until(() => fixture.sessions.views()[0]?.streams === 0);
  release();
  // Another answer takes all the room there is.
  const big = await wire.beginCall("hold");
  (await fixture.nextHeld()).release("x".repeat(2_000_000));
  await big.rest();
  const resumed = await wire.follow(call.last);
  const [warning, answer, ...more] = await resumed.rest();
  assert.deepEqual(warning?.params?.["data"], { gap: 1 });
  assert.equal(answer?.id, 2);
  assert.match(answer?.error?.message ?? "", /Cannot give the answer again/);
  assert.deepEqual(more, []);
});

Deno.test("of too many sessions the one goes that nobody has used for longest", async () => {
  const limits = { ...SESSION_LIMITS, sessions: 2 };
  await using fixture = await startMcpFixture({ limits });
  await using busy = new McpWire(fixture.url);
  await using idle = new McpWire(fixture.url);
  await using next = new McpWire(fixture.url);
  await using last = new McpWire(fixture.url);
  await busy.initialize();
  const call = await busy.beginCall("hold");
  await idle.initialize();
  await next.initialize();
  assert.equal(await deletion(idle), 404);
  assert.deepEqual((await next.ask("ping")).result, {});
  const events = await next.follow();
  assert.match(
    (await last.initialize()).error?.message ?? "",
    /Too many sessions/,
  );
  events.cut();
  await until(() => fixture.sessions.views()[1]?.streams === 0);
  await last.initialize();
  (await fixture.nextHeld()).release("kept on");
  assert.deepEqual((await call.rest()).map(textOf), ["kept on"]);
});

Deno.test("a session that nobody uses goes, one that somebody follows stays", async () => {
  const time = { at: 0 };
  const pauses: (() => void)[] = [];
  const clock = {
    now: () => time.at,
    monotonic: () => time.at,
    sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (ms === SESSION_LIMITS.sweepMs) pauses.push(resolve);
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  await using fixture = await startMcpFixture({ clock });
  await using idle = new McpWire(fixture.url);
  await using followed = new McpWire(fixture.url);
  await idle.initialize();
  await followed.initialize();
  await followed.follow();
  await until(() => pauses.length === 1);
  time.at += SESSION_LIMITS.idleMs - 1;
  pauses.shift()?.();
  await until(() => pauses.length === 1);
  assert.equal(fixture.sessions.views().length, 2);
  time.at += 1;
  pauses.shift()?.();
  await until(() => fixture.sessions.views().length === 1);
  assert.equal(await deletion(idle), 404);
});

Deno.test("the end: who waits for an answer is told, who follows is at the end, who asks is refused", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  const call = await wire.beginCall("hold");
  const { context } = await fixture.nextHeld();
  const events = await wire.follow();
  await fixture.sessions[Symbol.asyncDispose]();
  assert.ok(context.signal.aborted);
  const answers = await call.rest();
  assert.match(answers[0]?.error?.message ?? "", /the daemon ended/);
  assert.deepEqual(await events.rest(), []);
  assert.equal(await deletion(wire), 503);
});

Deno.test("what is said last goes out before the port closes", async () => {
  await using fixture = await startMcpFixture();
  await using wire = new McpWire(fixture.url);
  await wire.initialize();
  const call = await wire.beginCall("hold");
  await fixture.nextHeld();
  const answers = call.rest();
  await fixture[Symbol.asyncDispose]();
  assert.match((await answers)[0]?.error?.message ?? "", /the daemon ended/);
});
