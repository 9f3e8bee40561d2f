/**
 * Restarts tasks of the project `bench` again and again, one call after the other, with a pause between them so that
 * nothing piles up that should not: `restarter.ts SOCKET TIMES TASK…`.
 *
 * @module
 */

import { connect } from "../../src/client/client.ts";

/** Pause between two calls. */
const PAUSE_MS = 200;

const [socket = "", times = "0", ...tasks] = Deno.args;
await using client = await connect(socket);
if (client === null) throw new Error(`Nobody listens on "${socket}"`);
for (let n = 0; n < Number(times); n++) {
  await client.call("task.restart", { scope: { session: "bench" }, tasks });
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
