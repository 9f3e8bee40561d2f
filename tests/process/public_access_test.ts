/**
 * Who is let in at a public gate, over real sockets: what is refused never reaches the task.
 */

import assert from "node:assert/strict";
import { systemClock } from "../../src/kit/clock.ts";
import {
  type AccessRecord,
  basicRecord,
  linkPath,
  linkRecord,
  newLink,
  openRecord,
  parseAccessRecord,
} from "../../src/proxy/public_access.ts";
import {
  gatedSockets,
  type GatedTask,
  gatedTask,
} from "../support/gated_task.ts";
import { readAnswer } from "../support/raw_answer.ts";
import { until } from "../support/until.ts";

const GUESSES = 10;

const HANDSHAKE =
  "GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

function basic(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** A task that tells the fields it got. */
function telling(record: AccessRecord): Promise<GatedTask> {
  return gatedTask((request, response) => {
    response.setHeader("cache-control", "public, max-age=60, s-maxage=60");
    response.end(JSON.stringify(request.headers));
  }, { record });
}

async function ask(
  task: GatedTask,
  headers: Record<string, string>,
  path = "/",
): Promise<Response> {
  return await fetch(task.at(path), { headers, redirect: "manual" });
}

Deno.test("with a password only who knows it is let in, and the task does not hear of it", async () => {
  await using task = await telling(await basicRecord("ana", "pässwörd: 1"));
  const wrong: readonly Record<string, string>[] = [
    {},
    { authorization: basic("ana", "password") },
    { authorization: basic("eve", "pässwörd: 1") },
    { authorization: "Bearer x" },
    { authorization: "Basic !!!" },
    { authorization: `Basic ${btoa("ana")}` },
    { cookie: "__Host-taskmux=x" },
  ];
  for (const headers of wrong) {
    const answer = await ask(task, headers);
    assert.equal(answer.status, 401);
    assert.equal(
      answer.headers.get("www-authenticate"),
      'Basic realm="private", charset="UTF-8"',
    );
    await answer.body?.cancel();
  }
  assert.equal(task.connections(), 0);
  assert.equal(task.gate.refused, wrong.length);
  const authorization = basic("ana", "pässwörd: 1");
  const answers = await Promise.all(
    Array.from(
      { length: 20 },
      () => ask(task, { authorization, cookie: "own=1" }),
    ),
  );
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    // What lies between the visitor and us keeps nothing for others.
    assert.equal(answer.headers.get("cache-control"), "private, max-age=60");
    const told = await answer.json();
    assert.equal(told.authorization, undefined);
    assert.equal(told.cookie, "own=1");
  }
  // Signs that can be typed in two ways are the same ones.
  const typed = await ask(task, {
    authorization: basic("ana", "pässwörd: 1".normalize("NFD")),
  });
  assert.equal(typed.status, 200);
  await typed.body?.cancel();
});

Deno.test("who guesses has to wait, and only he", async () => {
  await using task = await telling(await basicRecord("ana", "right"));
  const eve = { "x-forwarded-for": "198.51.100.9" };
  const known = { ...eve, authorization: basic("ana", "right") };
  const first = await ask(task, known);
  assert.equal(first.status, 200);
  await first.body?.cancel();
  const guesses = await Promise.all(
    Array.from({ length: GUESSES + 5 }, async (_, index) => {
      const authorization = basic("ana", `guess ${index}`);
      const { status, body, headers } = await ask(task, {
        ...eve,
        authorization,
      });
      await body?.cancel();
      return `${status} ${headers.get("retry-after") ?? ""}`.trim();
    }),
  );
  assert.equal(guesses.filter((guess) => guess === "401").length, GUESSES);
  assert.equal(
    guesses.filter((guess) => /^429 (?:900|8\d\d)$/.test(guess)).length,
    5,
  );
  // Who was let in before still is, and others may try.
  for (
    const headers of [known, { ...known, "x-forwarded-for": "198.51.100.10" }]
  ) {
    const answer = await ask(task, headers);
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }
});

Deno.test("a link shows a page with a button, and works once", async () => {
  const { record, token } = newLink(linkRecord(), systemClock);
  await using task = await telling(record);
  const path = linkPath(token);
  const stranger = await ask(task, {});
  assert.equal(stranger.status, 403);
  assert.match(await stranger.text(), /^This site is private\n/);
  for (const method of ["GET", "HEAD", "GET"]) {
    const page = await fetch(task.at(path), { method });
    assert.equal(page.status, 200);
    assert.match(
      page.headers.get("content-security-policy") ?? "",
      /form-action 'self'; frame-ancestors 'none'/,
    );
    assert.equal(page.headers.get("referrer-policy"), "no-referrer");
    assert.equal(page.headers.get("cache-control"), "no-store");
    const html = await page.text();
    assert.match(html, method === "GET" ? /<form method="post"><button/ : /^$/);
    assert.doesNotMatch(html, new RegExp(token));
  }
  // Two at once: one of them.
  const used = await Promise.all(
    [1, 2].map(() =>
      fetch(task.at(path), { method: "POST", body: "", redirect: "manual" })
    ),
  );
  assert.deepEqual(used.map(({ status }) => status).toSorted(), [303, 404]);
  const welcome = used.find(({ status }) => status === 303);
  assert.equal(welcome?.headers.get("location"), "/");
  const cookie = welcome?.headers.get("set-cookie") ?? "";
  assert.match(
    cookie,
    /^__Host-taskmux=[\w-]{43}; Path=\/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax$/,
  );
  await Promise.all(used.map(({ body }) => body?.cancel()));
  const [pair = ""] = cookie.split(";");
  const inside = await ask(task, { cookie: `own=1; ${pair}; other="2"` });
  assert.equal(inside.status, 200);
  assert.equal((await inside.json()).cookie, 'own=1; other="2"');
  const again = await fetch(task.at(path), { headers: { cookie: pair } });
  assert.equal(again.status, 404);
  assert.match(await again.text(), /^This link is not valid\n.*used already/);
  assert.equal(task.connections(), 1);
});

Deno.test("what is kept of passwords, links and sessions opens nothing", async () => {
  const { record, token } = newLink(linkRecord(), systemClock);
  await using task = await telling(record);
  const answer = await fetch(task.at(linkPath(token)), {
    method: "POST",
    redirect: "manual",
  });
  await answer.body?.cancel();
  const secret = /=([\w-]{43});/.exec(answer.headers.get("set-cookie") ?? "")
    ?.[1];
  const [kept] = task.kept;
  const json = JSON.stringify([
    record,
    kept,
    await basicRecord("ana", "hush hush"),
  ]);
  for (const part of [token, secret ?? "none", "hush hush"]) {
    assert.doesNotMatch(json, new RegExp(part));
  }
  assert.deepEqual(parseAccessRecord(JSON.parse(JSON.stringify(kept))), kept);
  // A gate that is opened anew knows who was let in; nothing else is in the log than that there was a link.
  await using next = await telling(kept ?? openRecord());
  const inside = await ask(next, { cookie: `__Host-taskmux=${secret}` });
  assert.equal(inside.status, 200);
  await inside.body?.cancel();
  assert.deepEqual(task.entries.map(({ path }) => path), [
    "/.taskmux/link/***",
  ]);
});

Deno.test("paths of the gate are only there for links", async () => {
  await using task = await telling(openRecord());
  const open = await ask(task, {}, "/.taskmux/link/x");
  assert.equal(open.status, 200);
  await open.body?.cancel();
  task.access.replace(linkRecord());
  for (const path of ["/.taskmux/link/x", "/.taskmux/", "/.taskmux/other?a"]) {
    const answer = await ask(task, {}, path);
    assert.equal(answer.status, 404);
    await answer.body?.cancel();
  }
  const { record, token } = newLink(task.access.record, systemClock);
  task.access.replace(record);
  const put = await fetch(task.at(linkPath(token)), {
    method: "PUT",
    body: "x",
  });
  assert.equal(put.status, 405);
  await put.body?.cancel();
  assert.equal(task.connections(), 1);
});

Deno.test("WebSockets are let in as requests are, and end when that changes", async () => {
  await using task = await gatedSockets((socket) => {
    socket.once("data", (head) => {
      socket.write(
        SWITCHED.replace(
          "\r\n\r\n",
          `\r\nX-Told: ${String(head).includes("uthorization")}\r\n\r\n`,
        ),
      );
    });
  }, { record: await basicRecord("ana", "right") });
  using refused = await task.connect();
  await refused.write(`${HANDSHAKE}\r\n`);
  assert.match((await readAnswer(refused)).line, / 401 /);
  assert.equal(await refused.readAll(), "");
  assert.equal(task.connections(), 0);
  using inside = await task.connect();
  await inside.write(
    `${HANDSHAKE}Authorization: ${basic("ana", "right")}\r\n\r\n`,
  );
  assert.match(await inside.readHead(), / 101 [^]*\r\nX-Told: false\r\n/);
  task.access.replace(linkRecord());
  assert.equal(await inside.readAll(), "");
  await until(() => task.open() === 0);
  using outside = await task.connect();
  await outside.write(`${HANDSHAKE}\r\n`);
  assert.match((await readAnswer(outside)).line, / 403 /);
  assert.deepEqual(
    task.entries.map(({ status, verdict }) => [status, verdict]),
    [[401, "refused"], [101, "passed"], [403, "refused"]],
  );
});

Deno.test("a body that nobody let in is not read without end", async () => {
  await using task = await telling(linkRecord());
  using wire = await task.connect();
  await wire.write(
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\n",
  );
  assert.match((await readAnswer(wire)).line, / 403 /);
  const chunk = new Uint8Array(1024 * 1024);
  await assert.rejects(async () => {
    for (let sent = 0; sent < 100; sent++) await wire.write(chunk);
  });
  assert.equal(task.connections(), 0);
});

Deno.test("a link that could not be kept as used lets nobody in, and is not used up", async () => {
  const { record, token } = newLink(linkRecord(), systemClock);
  let isFull = true;
  await using task = await gatedTask((_request, response) => response.end(), {
    record,
    keep: () => {
      if (isFull) throw new Error("no space left");
    },
  });
  const use = () =>
    fetch(task.at(linkPath(token)), { method: "POST", redirect: "manual" });
  await assert.rejects(use);
  await until(() => task.errors.length === 1);
  assert.match(String(task.errors.pop()), /no space left/);
  isFull = false;
  const { status, body } = await use();
  await body?.cancel();
  assert.equal(status, 303);
});
