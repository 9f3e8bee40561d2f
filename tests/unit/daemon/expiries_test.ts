import assert from "node:assert/strict";
import { Expiries } from "../../../src/daemon/tunnels/expiries.ts";

/** Wall and monotonic time, each set by hand. */
const time = { wall: 1_000_000, real: 0 };
const clock = { now: () => time.wall, monotonic: () => time.real };

function pass(ms: number): void {
  time.wall += ms;
  time.real += ms;
}

Deno.test("an end is not put off by setting the time back, and comes with time set on", () => {
  const expiries = new Expiries(clock);
  const shop = { task: "web", expiresAt: time.wall + 60_000 };
  assert.equal(expiries.leftMs(shop), 60_000);
  pass(10_000);
  time.wall -= 3_600_000;
  assert.equal(expiries.leftMs(shop), 50_000);
  pass(50_000);
  assert.equal(expiries.leftMs(shop), 0);
  // Another end counts from now on, told in the time of now.
  const later = { task: "web", expiresAt: time.wall + 5_000 };
  assert.equal(expiries.leftMs(later), 5_000);
  time.wall += 3_600_000;
  assert(expiries.leftMs(later) < 0);
});

Deno.test("the first end is told, and what is gone is forgotten", () => {
  const expiries = new Expiries(clock);
  const never = { task: "db", expiresAt: null };
  assert.equal(expiries.nextMs([]), Infinity);
  assert.equal(expiries.nextMs([never]), Infinity);
  const web = { task: "web", expiresAt: time.wall + 60_000 };
  const api = { task: "api", expiresAt: time.wall + 30_000 };
  assert.equal(expiries.nextMs([never, web, api]), 30_000);
  time.wall -= 10_000;
  assert.equal(expiries.leftMs(web), 60_000);
  expiries.keep([api]);
  assert.equal(expiries.leftMs(web), 70_000);
});
