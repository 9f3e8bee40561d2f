/**
 * Restarts tasks of the project `bench` again and again, one call after the other: `restarter.ts SOCKET TIMES TASK…`.
 *
 * @module
 */

import { connect } from "../../src/client/client.ts";

const [socket = "", times = "0", ...tasks] = Deno.args;
await using client = await connect(socket);
if (client === null) throw new Error(`Nobody listens on "${socket}"`);
for (let n = 0; n < Number(times); n++) {
  await client.call("task.restart", { scope: { session: "bench" }, tasks });
}
