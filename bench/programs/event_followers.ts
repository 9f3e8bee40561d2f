/**
 * Follows the events of a daemon over very many connections while it restarts a task, and prints as JSON how old, in
 * milliseconds, each event was when it came: `event_followers.ts SOCKET FOLLOWERS STALLED RESTARTS`. Those that are
 * stalled read nothing.
 *
 * @module
 */

import { type Client, connect } from "../../src/client/client.ts";
import { until } from "../../tests/support/until.ts";

/** Longest time until the last one has the last event. */
const PATIENCE_MS = 60_000;

const STAMP_REGEXP = /"ts":"([^"]+)"/g;

const [socket = "", ...numbers] = Deno.args;
const [followers = 0, stalled = 0, restarts = 0] = numbers.map(Number);

let delays: number[] = [];

/** Notes how old each event is when it comes. */
async function read(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  while (true) {
    const count = await conn.read(buffer);
    if (count === null) return;
    const now = Date.now();
    const text = decoder.decode(buffer.subarray(0, count));
    for (const [, ts = ""] of text.matchAll(STAMP_REGEXP)) {
      delays.push(now - Date.parse(ts));
    }
  }
}

async function follow(cursor: string): Promise<Deno.Conn> {
  const conn = await Deno.connect({ transport: "unix", path: socket });
  const asked =
    `{"id":1,"op":"event.follow","params":{"cursor":"${cursor}"}}\n`;
  await conn.write(new TextEncoder().encode(asked));
  return conn;
}

/** The end of a run and the beginning of the next are told for each restart. */
async function restart(client: Client, count: number): Promise<void> {
  delays = [];
  for (let n = 0; n < count; n++) {
    await client.call("task.restart", {
      scope: { session: "bench" },
      tasks: ["t000"],
    });
  }
  await until(() => delays.length >= 2 * count * followers, {
    what: "every follower has every event",
    timeoutMs: PATIENCE_MS,
  });
}

await using client = await connect(socket);
if (client === null) throw new Error(`Nobody listens on "${socket}"`);
const { cursor } = await client.call("event.list", { limit: 1 });
for (let n = 0; n < followers; n++) {
  const conn = await follow(cursor);
  read(conn).catch((error) => {
    console.error(error);
    Deno.exit(1);
  });
}
for (let n = 0; n < stalled; n++) await follow(cursor);
// Whoever was not there yet gets this late; it does not count.
await restart(client, 1);
await restart(client, restarts);
console.log(JSON.stringify(delays));
Deno.exit(0);
