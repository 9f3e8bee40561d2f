/**
 * A script that Node runs as it is: it asks, follows, and tells what it saw as JSON.
 *
 * @module
 */

import { ApiError, connect } from "../../src/client/api_client.ts";

const taskmux = await connect({ caller: "node" });
const scope = { session: "shop" };
const { tasks } = await taskmux.call("task.status", { scope });

let line: string | null = null;
for await (const item of taskmux.logs({ ...scope, tasks: ["web"] })) {
  if (item.type !== "line") continue;
  line = item.text;
  break;
}
let event: string | null = null;
for await (const item of taskmux.events({ ...scope, cursor: "0" })) {
  if (item.type !== "event") continue;
  event = item.event.event;
  break;
}
const refused = await taskmux.call("task.inspect", { scope, task: "ghost" })
  .catch((error: unknown) => error);
taskmux.close();

console.log(JSON.stringify({
  tasks: tasks.map(({ name }) => name),
  line,
  event,
  code: refused instanceof ApiError ? refused.code : null,
}));
