import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../../src/kit/clock.ts";
import {
  AccessControl,
  type AccessDecision,
  type AccessRequest,
  basicRecord,
} from "../../../src/proxy/public_access.ts";

/** A clock on which no pause ends by itself. */
const STANDING: Clock = {
  ...systemClock,
  sleep: (_ms, signal) => {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, reject } = Promise.withResolvers<void>();
    signal?.addEventListener("abort", () => reject(signal.reason));
    return promise;
  },
};

function request(password: string, visitor: string): AccessRequest {
  return {
    method: "GET",
    path: "/",
    headers: ["Authorization", `Basic ${btoa(`ana:${password}`)}`],
    asked: {},
    visitor,
  };
}

function statusOf(decision: AccessDecision): number | null {
  return decision.kind === "answer" ? decision.answer.status : null;
}

Deno.test("guesses of many visitors wait in a queue with an end, and end with the gate", async () => {
  const control = new AccessControl(
    await basicRecord("ana", "right"),
    () => {},
    STANDING,
  );
  const stop = new AbortController();
  const decisions = Array.from(
    { length: 60 },
    (_, index) =>
      control.decide(request(`guess ${index}`, `10.0.0.${index}`), stop.signal),
  );
  const late = await Promise.all(decisions.slice(50));
  assert.deepEqual(new Set(late.map(statusOf)), new Set([503]));
  stop.abort(new Error("the gate ends"));
  for (const decision of await Promise.allSettled(decisions.slice(0, 50))) {
    assert.equal(decision.status, "rejected");
  }
});

Deno.test("who is let in by a record that is replaced meanwhile is looked at again", async () => {
  const control = new AccessControl(
    await basicRecord("ana", "old"),
    () => {},
    systemClock,
  );
  const { signal } = new AbortController();
  const replacement = await basicRecord("ana", "new");
  const deciding = control.decide(request("old", "10.0.0.1"), signal);
  control.replace(replacement);
  assert.equal(statusOf(await deciding), 401);
  const next = await control.decide(request("new", "10.0.0.1"), signal);
  assert.equal(next.kind, "pass");
});
