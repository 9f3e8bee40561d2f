/**
 * Asks for the state of a project again and again over one connection, and prints the latencies in milliseconds as
 * JSON: `status_sampler.ts SOCKET CONFIG SECONDS`.
 *
 * @module
 */

import { connect } from "../../src/client/client.ts";

/** Pause between two questions. */
const PAUSE_MS = 15;

const [socket = "", config = "", seconds = "0"] = Deno.args;
await using client = await connect(socket);
if (client === null) throw new Error(`Nobody listens on "${socket}"`);
const latencies: number[] = [];
const endsAt = performance.now() + Number(seconds) * 1000;
while (performance.now() < endsAt) {
  const askedAt = performance.now();
  await client.call("task.status", { scope: { config } });
  latencies.push(performance.now() - askedAt);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
console.log(JSON.stringify(latencies));
