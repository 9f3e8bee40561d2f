import assert from "node:assert/strict";
import {
  FailedTries,
  groupOf,
  MOST_TRIES,
  REMEMBERED_MS,
} from "../../../src/proxy/failed_tries.ts";

Deno.test("after ten tries a visitor waits until they are forgotten; others do not", () => {
  let now = 0;
  const tries = new FailedTries(() => now);
  for (let count = 0; count < MOST_TRIES; count++) {
    assert.equal(tries.begin("203.0.113.7"), 0);
  }
  now = 1_000;
  assert.equal(tries.begin("203.0.113.7"), REMEMBERED_MS - 1_000);
  assert.equal(tries.begin("203.0.113.8"), 0);
  assert.equal(tries.begin(null), 0);
  now = REMEMBERED_MS;
  assert.equal(tries.begin("203.0.113.7"), 0);
});

Deno.test("who is right begins anew", () => {
  const tries = new FailedTries(() => 0);
  for (let count = 1; count < MOST_TRIES; count++) tries.begin("a");
  tries.forget("a");
  for (let count = 0; count < MOST_TRIES; count++) {
    assert.equal(tries.begin("a"), 0);
  }
  assert.notEqual(tries.begin("a"), 0);
});

Deno.test("many visitors cost bounded memory: the oldest is forgotten", () => {
  const tries = new FailedTries(() => 0);
  for (let count = 0; count <= MOST_TRIES; count++) tries.begin("first");
  assert.notEqual(tries.begin("first"), 0);
  for (let index = 0; index < 4_096; index++) {
    tries.begin(`10.0.${index >> 8}.${index & 255}`);
  }
  assert.equal(tries.begin("first"), 0);
});

Deno.test("a network of IPv6 is one visitor", () => {
  const cases: readonly (readonly [string | null, string])[] = [
    [null, ""],
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:0db8:0001:0002::9", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["1:2::", "1:2:0:0"],
  ];
  for (const [visitor, group] of cases) assert.equal(groupOf(visitor), group);
});
