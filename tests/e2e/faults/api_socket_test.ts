/**
 * Hostile input on the WebSocket of the API: refused, bounded; and the daemon is afterwards what it was before.
 *
 * @module
 */

import assert from "node:assert/strict";
import { descriptorsOf, HAS_PROC, memoryOf } from "../../support/processes.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const MIB = 1024 * 1024;

const WEB = 'name = "safe"\n[tasks.web]\ncommand = "exec sleep 1000"\n';

const DEEP = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

/** Frames that are no question, or one that makes no sense. */
const NONSENSE: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>> = {
  "nothing": "",
  "no JSON": "{",
  "a number": "1",
  "null": "null",
  "a list": '[{"command":"stop_all"}]',
  "no command": '{"id":1}',
  "a command that is a number": '{"id":1,"command":5}',
  "a command of the prototype": '{"id":1,"command":"__proto__"}',
  "another command of it": '{"id":1,"command":"constructor"}',
  "an operation of ours": '{"id":1,"command":"daemon.stop"}',
  "an id that is an object": '{"id":{},"command":"ping"}',
  "params that are a text": '{"id":1,"command":"stop","params":"web"}',
  "a session that is an object":
    '{"id":1,"command":"status","params":{"session":{"$gt":""}}}',
  "a session of a megabyte": `{"id":1,"command":"status","params":{"session":"${
    "x".repeat(MIB / 2)
  }"}}`,
  "a task that is a path":
    '{"id":1,"command":"logs","params":{"session":"safe","task":"../../../etc/passwd"}}',
  "deep JSON": DEEP,
  "deep params": `{"id":1,"command":"status","params":{"session":${DEEP}}}`,
  "bytes": new Uint8Array([0xff, 0xfe, 0]),
};

/** A socket of its own: the answers to what is sent, until so many have come or it is closed. */
async function ask(
  port: number,
  frames: readonly (string | Uint8Array<ArrayBuffer>)[],
): Promise<string[]> {
  const socket = new WebSocket(`ws://localhost:${port}/`);
  const answers: string[] = [];
  const over = Promise.withResolvers<void>();
  socket.onopen = () => frames.forEach((frame) => socket.send(frame));
  socket.onmessage = ({ data }) => {
    answers.push(String(data));
    if (answers.length === frames.length) socket.close();
  };
  socket.onerror = (event) => event.preventDefault();
  socket.onclose = () => over.resolve();
  await over.promise;
  return answers;
}

/** The beginning of a WebSocket, by hand. */
async function upgrade(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  await conn.write(new TextEncoder().encode(head));
  const answer = new Uint8Array(4_096);
  const count = await conn.read(answer);
  assert.match(
    new TextDecoder().decode(answer.subarray(0, count ?? 0)),
    /^HTTP\/1\.1 101 /,
  );
  return conn;
}

/** Frames by hand; the mask is all zeros. */
const FRAMES = {
  /** Says that it is 2^62 bytes long. */
  huge: [0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  /** A text of no bytes, not masked, which only servers may send. */
  bare: [0x81, 0],
  /** A kind that there is not. */
  unknown: [0x8f, 0x80, 0, 0, 0, 0],
  /** A piece of a message that never began. */
  torn: [0x80, 0x80, 0, 0, 0, 0],
} as const;

/** A text frame. */
function frameOf(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  const length = [0x80 | 126, bytes.length >> 8, bytes.length & 0xff];
  return [0x81, ...length, 0, 0, 0, 0, ...bytes];
}

Deno.test("who sends nonsense over the WebSocket is told so, and costs little", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WEB);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const { api_port: port, pid: daemon } = await taskmux.ok<
    { api_port: number; pid: number }
  >(["daemon", "status"]);
  const ping = '{"id":2,"command":"ping"}';
  await ask(port, [ping]);
  const before = HAS_PROC ? memoryOf(daemon) : 0;
  const descriptors = HAS_PROC ? descriptorsOf(daemon).length : 0;
  for (const [what, frame] of Object.entries(NONSENSE)) {
    const answers = await ask(port, [frame, ping]);
    const [first = "", second = ""] = answers.toSorted((a) =>
      a.includes('"id":2') ? 1 : -1
    );
    // As the original, `logs` of no task are no lines.
    assert.match(first, /"error"|"lines":\[\]/, `${what}: ${first}`);
    assert.doesNotMatch(first, /root:/, what);
    // A refusal quotes what it is about.
    const most = 4_096 + 4 * frame.length;
    assert(first.length < most, `${what}: ${first.length} characters`);
    assert.match(second, /"id":2/, what);
  }
  assert.deepEqual(await ask(port, ["x".repeat(2 * MIB)]), [], "too large");
  const status = '{"id":1,"command":"status","params":{"session":"safe"}}';
  const unread = frameOf(status);
  const words = [
    ...Object.values(FRAMES),
    Array.from({ length: 150 }, () => unread).flat(),
  ];
  const held: Deno.Conn[] = [];
  for (let n = 0; n < 200; n++) {
    const conn = await upgrade(port);
    held.push(conn);
    // What does not fit is not waited for.
    conn.write(Uint8Array.from(words[n % words.length]!)).catch(() => 0);
  }
  assert.match((await ask(port, [ping])).join(), /"id":2/);
  await project.ok(["status"]);
  for (const conn of held) conn.close();
  if (HAS_PROC) {
    await until(() => descriptorsOf(daemon).length <= descriptors + 8, {
      what: "descriptors are closed",
    });
    const grown = (memoryOf(daemon) - before) / MIB;
    assert(grown < 150, `grew by ${grown.toFixed(0)} MiB`);
  }
  assert.equal(await taskmux.daemonPid(), daemon);
  assert.equal(await project.pid("web"), pid);
});
