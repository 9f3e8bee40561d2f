import assert from "node:assert/strict";
import {
  type Holders,
  ListenerProofs,
  proofOf,
} from "../../../src/daemon/listener_proofs.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { systemClock } from "../../../src/kit/clock.ts";

const RUN = { runId: "aaaaaaaaaaaa", port: 4000 };

function held(...sockets: (readonly [string, string | null])[]): Holders {
  return {
    holders: sockets.map(([address, runId], at) => ({
      pid: 100 + at,
      command: `/usr/bin/program${at} --password x`,
      runId,
      addresses: [address],
    })),
    hidden: [],
  };
}

function addressesOf(found: Holders): readonly string[] | string {
  const proof = proofOf(found, RUN.runId);
  return proof.kind === "ours" ? proof.addresses : proof.kind;
}

Deno.test("a listener proves the loopback addresses that lead to it", () => {
  const { runId } = RUN;
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [["127.0.0.1"], ["127.0.0.1"]],
    [["[::1]"], ["::1"]],
    [["0.0.0.0"], ["127.0.0.1"]],
    [["[::]"], ["127.0.0.1", "::1"]],
    [["127.0.0.1", "[::1]"], ["127.0.0.1", "::1"]],
    // Java listens so on 127.0.0.1, and on every address of IPv4.
    [["[::ffff:7f00:1]"], ["127.0.0.1"]],
    [["[::ffff:0:0]"], ["127.0.0.1"]],
  ];
  for (const [sockets, addresses] of cases) {
    const found = held(...sockets.map((each) => [each, runId] as const));
    assert.deepEqual(addressesOf(found), addresses, sockets.join());
  }
  assert.equal(addressesOf(held(["192.0.2.2", runId])), "nobody");
  assert.equal(addressesOf(held()), "nobody");
});

Deno.test("what a stranger answers is not proven", () => {
  const { runId } = RUN;
  const other = "bbbbbbbbbbbb";
  assert.equal(addressesOf(held(["127.0.0.1", other])), "stranger");
  assert.equal(addressesOf(held(["[::]", null])), "stranger");
  // The more specific socket gets the connection.
  assert.deepEqual(
    addressesOf(held(["127.0.0.1", null], ["[::]", runId])),
    ["::1"],
  );
  assert.deepEqual(
    addressesOf(held(["127.0.0.1", runId], ["0.0.0.0", null])),
    ["127.0.0.1"],
  );
  // Which of two gets it is the kernel's choice.
  assert.equal(
    addressesOf(held(["127.0.0.1", runId], ["127.0.0.1", null])),
    "stranger",
  );
  const hidden = { holders: [], hidden: [{ uid: 0, address: "0.0.0.0" }] };
  assert.deepEqual(proofOf(hidden, runId), {
    kind: "stranger",
    holder: "a process of user 0",
  });
  assert.deepEqual(proofOf(held(["127.0.0.1", null]), runId), {
    kind: "stranger",
    holder: "program0 (pid 100)",
  });
});

Deno.test("where nobody can tell who listens the task is believed", () => {
  const unknown = { holders: [], unknown: true };
  assert.deepEqual(addressesOf(unknown), ["127.0.0.1", "::1"]);
});

/** Proofs under a clock that stands still until it is set, and a keeper that answers when it is told to. */
function underTest() {
  const world = { now: 0, asked: 0, found: held(["127.0.0.1", RUN.runId]) };
  const answers: PromiseWithResolvers<Holders>[] = [];
  const proofs = new ListenerProofs({
    clock: { ...systemClock, monotonic: () => world.now },
    holders: () => {
      world.asked++;
      const answer = Promise.withResolvers<Holders>();
      answers.push(answer);
      return answer.promise;
    },
  });
  const answer = (): void => answers.shift()?.resolve(world.found);
  const fail = (error: Error): void => answers.shift()?.reject(error);
  return { world, proofs, answer, fail };
}

Deno.test("a proof holds for seconds, is renewed meanwhile, and asked for once by all", async () => {
  const { world, proofs, answer, fail } = underTest();
  assert.equal(proofs.recall(RUN), null);
  const looks = [proofs.look(RUN), proofs.look(RUN)];
  answer();
  const [first, second] = await Promise.all(looks);
  assert.equal(first, second);
  assert.equal(world.asked, 1);
  world.now = 999;
  assert.equal(proofs.recall(RUN), first);
  assert.equal(world.asked, 1);
  world.now = 1_000;
  for (let n = 0; n < 3; n++) assert.equal(proofs.recall(RUN), first);
  assert.equal(world.asked, 2);
  // The keeper is silent for longer than a proof may be old.
  world.now = 4_999;
  assert.equal(proofs.recall(RUN), first);
  world.now = 5_000;
  assert.equal(proofs.recall(RUN), null);
  const silent = proofs.look(RUN);
  fail(new TaskmuxError("E900", "Cannot ask the keeper: it is gone"));
  assert.equal((await silent).kind, "silent");
  assert.equal(proofs.recall(RUN), null);
});

Deno.test("a listener that was not there is asked for anew, and a stranger is no route", async () => {
  const { world, proofs, answer } = underTest();
  const look = proofs.look(RUN);
  answer();
  await look;
  assert(proofs.hasListened(RUN.runId));
  proofs.doubt(RUN.runId);
  assert.equal(proofs.recall(RUN), null);
  const before = proofs.look(RUN);
  proofs.doubt(RUN.runId);
  world.found = held(["127.0.0.1", null]);
  const again = proofs.look(RUN);
  // What the first look finds is from before the doubt.
  answer();
  answer();
  assert.equal((await before).kind, "stranger");
  assert.equal((await again).kind, "stranger");
  assert.equal(proofs.recall(RUN), null);
  assert.equal(proofs.recall({ ...RUN, port: 4001 }), null);
});
