import assert from "node:assert/strict";
import { viewHolders } from "../../../src/domain/port_view.ts";

const FACTS = {
  ownerOf: (runId: string) =>
    runId === "00000000000a" ? { session: "shop", task: "web" } : null,
  daemonPid: 7,
};

Deno.test("a holder is ours if it belongs to a run, or is the daemon", () => {
  const { listening, holders } = viewHolders({
    holders: [
      { pid: 5, command: "a", runId: "00000000000a", addresses: ["[::]"] },
      { pid: 6, command: "b", runId: "00000000000b", addresses: ["[::]"] },
      { pid: 7, command: "c", runId: null, addresses: ["127.0.0.1"] },
      { pid: 8, command: "d", runId: null, addresses: ["0.0.0.0"] },
    ],
    hidden: [{ uid: 33, address: "0.0.0.0" }],
  }, FACTS);
  assert.equal(listening, true);
  assert.deepEqual(
    holders?.map(({ pid, uid, ours, session, task }) => [
      pid,
      uid,
      ours,
      session,
      task,
    ]),
    [
      [5, null, true, "shop", "web"],
      [6, null, true, null, null],
      [7, null, true, null, null],
      [8, null, false, null, null],
      [null, 33, false, null, null],
    ],
  );
});

Deno.test("what an older keeper does not tell is left open", () => {
  const holder = { pid: 5, command: "a", runId: null };
  const { holders } = viewHolders({ holders: [holder] }, FACTS);
  assert.deepEqual(holders?.[0]?.addresses, []);
  assert.deepEqual(viewHolders({ holders: [] }, FACTS), {
    listening: false,
    holders: [],
  });
});

Deno.test("a system that does not tell who listens is no free port", () => {
  const { listening, holders, reason } = viewHolders(
    { holders: [], unknown: true },
    FACTS,
  );
  assert.deepEqual([listening, holders], [null, null]);
  assert.equal(typeof reason, "string");
});
