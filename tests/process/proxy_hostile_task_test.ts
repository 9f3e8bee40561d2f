/**
 * Tasks whose answers no server should send: each client gets an answer, and the proxy goes on.
 *
 * An error that escaped into an event handler would end this process, as it would the daemon.
 */

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Http2Client } from "../support/http2_client.ts";
import { proxiedSockets, TASK_NAME } from "../support/proxied_task.ts";
import { readAnswer } from "../support/raw_answer.ts";

const REST = "Content-Length: 2\r\n\r\nok";
const OK = `HTTP/1.1 200 OK\r\n${REST}`;
const CHUNKED =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n";

/** What a task says, and the status over HTTP/1.1 and HTTP/2. */
const ANSWERS:
  readonly (readonly [bytes: string, http1: number, http2: number])[] = [
    [`HTTP/1.1 103 x\r\nLink: garbage\r\n\r\n${OK}`, 200, 200],
    [
      `HTTP/1.1 103 x\r\nLink: </a>; rel=preload\r\n__proto__: x\r\nContent-Length: 9\r\n\r\n${OK}`,
      200,
      200,
    ],
    [`${"HTTP/1.1 100 x\r\n\r\n".repeat(1_000)}${OK}`, 200, 200],
    ["HTTP/1.1 101 x\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n", 502, 502],
    [`HTTP/1.1 101 x\r\n\r\n${OK}`, 502, 502],
    [`HTTP/1.1 099 x\r\n${REST}`, 502, 502],
    [`HTTP/1.1 999 x\r\n${REST}`, 999, 502],
    [`HTTP/1.1 200 a\x01b\r\n${REST}`, 502, 200],
    [`HTTP/1.1 200 x\r\n__proto__: a\r\nconstructor: b\r\n${REST}`, 200, 200],
    [`${CHUNKED}0\r\nConnection: close\r\nKeep-Alive: 2\r\n\r\n`, 200, 200],
  ];

Deno.test("no answer of a task ends the proxy, or keeps a client waiting", async () => {
  let bytes = "";
  await using task = await proxiedSockets((socket: Socket) => {
    socket.once("data", () => socket.end(bytes, "latin1"));
  });
  using http2 = new Http2Client(task.proxy);
  for (const [said, first, second] of ANSWERS) {
    bytes = said;
    using wire = await task.proxy.connect(TASK_NAME);
    await wire.write(`GET / HTTP/1.0\r\nHost: ${TASK_NAME}\r\n\r\n`);
    const { line } = await readAnswer(wire);
    assert.match(line, new RegExp(` ${first} `), said);
    assert.equal((await http2.ask()).status, second, said);
  }
  bytes = ANSWERS[0]![0];
  using wire = await task.proxy.connect(TASK_NAME);
  await wire.write(`GET / HTTP/1.1\r\nHost: ${TASK_NAME}\r\n\r\n`);
  assert.match((await readAnswer(wire)).line, / 200 /);
});
