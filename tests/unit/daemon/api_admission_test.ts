import assert from "node:assert/strict";
import { createAdmission } from "../../../src/daemon/api_admission.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { systemClock } from "../../../src/kit/clock.ts";
import type { Keeper } from "../../../src/supervisor/keeper.ts";

const ENDS = {
  client: { address: "127.0.0.1", port: 50_000 },
  server: { address: "127.0.0.1", port: 8765 },
};

/** What is decided when the keeper answers this way. */
async function decided(
  answer: () => unknown,
): Promise<{ isAdmitted: boolean; refusals: string[]; ages: boolean[] }> {
  const refusals: string[] = [];
  const ages: boolean[] = [];
  const request = (() => Promise.try(answer)) as Keeper["request"];
  const admits = createAdmission({
    keeper: { request, bootId: "" },
    clock: systemClock,
    onRefused: (message) => refusals.push(message),
    onKeeperAge: (isTooOld) => ages.push(isTooOld),
  });
  return { isAdmitted: await admits(ENDS), refusals, ages };
}

Deno.test("the own user and root may use the port, and whoever a system cannot tell apart", async () => {
  for (
    const answer of [
      { client: 1000, server: 1000 },
      { client: 0, server: 1000 },
      { client: 0, server: 0 },
      { unknown: true },
    ]
  ) {
    const { isAdmitted, refusals } = await decided(() => answer);
    assert(isAdmitted, JSON.stringify(answer));
    assert.deepEqual(refusals, []);
  }
});

Deno.test("others may not, nor who is gone or cannot be told, and each is noted", async () => {
  const older = new TaskmuxError("E900", "Cannot take the request");
  const dead = new TaskmuxError("E600", "Cannot reach the keeper");
  const answers: [() => unknown, RegExp][] = [
    [() => ({ client: 1001, server: 1000 }), /user 1001's/],
    [() => ({ client: 1001, server: 0 }), /user 1001's/],
    [() => ({ client: null, server: 1000 }), /is gone/],
    [() => ({ client: null, server: null }), /is gone/],
    [() => Promise.reject(older), /cannot be told: Cannot take/],
    [() => Promise.reject(dead), /cannot be told: Cannot reach/],
  ];
  for (const [answer, expected] of answers) {
    const { isAdmitted, refusals } = await decided(answer);
    assert(!isAdmitted, expected.source);
    assert.equal(refusals.length, 1);
    assert.match(refusals[0]!, expected);
  }
});

Deno.test("a keeper that is too old is told of until another one answers", async () => {
  const older = new TaskmuxError("E900", "Cannot take the request", {
    details: { keeper_code: "invalid" },
  });
  assert.deepEqual((await decided(() => Promise.reject(older))).ages, [true]);
  assert.deepEqual((await decided(() => ({ unknown: true }))).ages, [false]);
  const silent = new TaskmuxError("E600", "Cannot reach the keeper");
  assert.deepEqual((await decided(() => Promise.reject(silent))).ages, []);
});
