import assert from "node:assert/strict";
import { IdleWatch } from "../../../src/proxy/idle_watch.ts";

const LIMIT_MS = 75_000;

Deno.test("a connection is closed when it was without a request for too long, and no earlier", () => {
  let now = 0;
  const idle = new IdleWatch(() => now);
  const closed: string[] = [];
  const silent = idle.add(() => closed.push("silent"));
  const busy = idle.add(() => closed.push("busy"));
  idle.begin(busy);
  idle.begin(busy);
  idle.end(busy);
  now = LIMIT_MS;
  idle.sweep(LIMIT_MS);
  assert.deepEqual(closed, []);
  now += 1;
  idle.sweep(LIMIT_MS);
  assert.deepEqual(closed, ["silent"]);
  idle.remove(silent);
  idle.end(busy);
  now += LIMIT_MS + 1;
  idle.sweep(LIMIT_MS);
  assert.deepEqual(closed, ["silent", "busy"]);
  assert.equal(idle.size, 1);
});
