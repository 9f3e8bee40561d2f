/**
 * Asks for what is new in a log again and again over one connection, after a few lines were added each time, and prints
 * the latencies in milliseconds as JSON: `cursor_sampler.ts SOCKET CONFIG TASK LOG POLLS LINES`.
 *
 * @module
 */

import { connect } from "../../src/client/client.ts";

const [socket = "", config = "", task = "", log = "", polls = "", added = ""] =
  Deno.args;
await using client = await connect(socket);
if (client === null) throw new Error(`Nobody listens on "${socket}"`);
const scope = { config };
const tasks = [task];
let { cursor } = await client.call("log.read", { scope, tasks, lines: 0 });
const latencies: number[] = [];
for (let poll = 0; poll < Number(polls); poll++) {
  const stamp = new Date().toISOString().slice(0, -1);
  await Deno.writeTextFile(
    log,
    `${stamp} poll ${poll}\n`.repeat(Number(added)),
    { append: true },
  );
  const askedAt = performance.now();
  const page = await client.call("log.read", {
    scope,
    tasks,
    lines: null,
    cursor,
  });
  latencies.push(performance.now() - askedAt);
  if (page.lines.length !== Number(added)) {
    throw new Error(`${page.lines.length} lines are new`);
  }
  cursor = page.cursor;
}
console.log(JSON.stringify(latencies));
