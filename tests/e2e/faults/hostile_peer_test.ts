/**
 * Whoever gets at the sockets and speaks nonsense, too much or never listens.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_FRAME_BYTES } from "../../../src/kit/frames.ts";
import { HAS_PROC, memoryOf } from "../../support/processes.ts";
import { randomFrom } from "../../support/random.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const MIB = 1024 * 1024;

/** Far above what the daemon needs, far below what the peers of these tests could make it hold. */
const MAX_DAEMON_BYTES = 500 * MIB;

const PROJECT = `
name = "peers"
[tasks.flood]
command = "exec yes 0123456789012345678901234567890123456789"
[tasks.web]
command = "exec sleep 1000"
`;

function dial(path: string): Promise<Deno.UnixConn> {
  return Deno.connect({ transport: "unix", path });
}

/** Sends until everything is taken or the peer hangs up. */
async function sendAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += await conn.write(bytes.subarray(sent));
    }
  } catch (error) {
    const isGone = error instanceof Deno.errors.BrokenPipe ||
      error instanceof Deno.errors.ConnectionReset;
    if (!isGone) throw error;
  }
}

Deno.test("nonsense on the sockets harms nobody but who says it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start", "web"]);
  const pid = await project.pid("web");
  const random = randomFrom(7);
  const noise = crypto.getRandomValues(new Uint8Array(60_000));
  const { daemonSocket, keeperSocket } = taskmux.home.paths;
  const words = [
    "5",
    "null",
    "[]",
    '{"id":1}',
    '{"id":1,"op":"__proto__","params":{}}',
    '{"id":1,"op":"task.start","params":{"scope":{"config":"/etc/passwd"}}}',
    '{"id":1,"op":"spawn","params":{"runId":"../x","argv":["sh"]}}',
    '{"cancel":{}}',
    "[".repeat(100_000),
  ].map((text) => new TextEncoder().encode(`${text}\n`));
  for (const path of [daemonSocket, keeperSocket]) {
    const half = await dial(path);
    await sendAll(half, new TextEncoder().encode('{"id":1,"op":"da'));
    for (let n = 0; n < 30; n++) {
      using conn = await dial(path);
      const end = Math.floor(random() * noise.length);
      await sendAll(conn, words[n] ?? noise.subarray(0, end));
    }
    using huge = await dial(path);
    await sendAll(huge, new Uint8Array(MAX_FRAME_BYTES + MIB).fill(65));
    await project.ok(["restart", "web"]);
    half.close();
  }
  assert.notEqual(await project.pid("web"), pid);
});

Deno.test("peers that never read what they asked for cost the daemon neither its time nor its memory", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  await until(async () => (await project.log("flood")).length === 1_000);
  const scope = { config: project.config };
  const ask = (id: number, op: string, params: object): Uint8Array =>
    new TextEncoder().encode(`${JSON.stringify({ id, op, params })}\n`);
  using peers = new DisposableStack();
  const peer = async (): Promise<Deno.UnixConn> =>
    peers.use(await dial(taskmux.home.paths.daemonSocket));
  for (let n = 0; n < 5; n++) {
    await sendAll(
      await peer(),
      ask(1, "log.follow", { scope, tasks: ["flood"] }),
    );
  }
  const greedy = await peer();
  for (let id = 0; id < 100; id++) {
    const params = { scope, tasks: ["flood"], lines: 20_000 };
    await sendAll(greedy, ask(id, "log.read", params));
  }
  for (let n = 0; n < 100; n++) {
    const begun = performance.now();
    await project.status();
    assert(performance.now() - begun < 5_000);
    if (HAS_PROC) assert(memoryOf(daemon) < MAX_DAEMON_BYTES);
  }
  await project.ok(["stop"]);
});
