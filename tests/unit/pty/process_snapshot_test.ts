import assert from "node:assert/strict";
import {
  ProcessSnapshot,
  type SnapshotInput,
} from "../../../src/pty/process_snapshot.ts";
import { type ProcessRow, runNumber } from "../../../src/pty/system.ts";

const KEEPER = 100;
const RUN = "00000000abcd";
const OTHER = "00000000ffff";

/** A process; what is left out is that of a foreign one. */
function row(pid: number, ppid: number, more: Partial<ProcessRow> = {}) {
  return {
    pid,
    ppid,
    group: pid,
    session: pid,
    state: "alive",
    startTime: 1000 + pid,
    tag: -1,
    ...more,
  } as const;
}

const TAG = { tag: runNumber(RUN) };

/** The leader of the run, which began at 1200. */
const LEADER = row(200, KEEPER, TAG);

function snapshot(
  rows: readonly ProcessRow[],
  more: Partial<SnapshotInput> = {},
): ProcessSnapshot {
  return new ProcessSnapshot({
    rows: [row(1, 0), row(KEEPER, 1), ...rows],
    runs: [
      { runId: RUN, leader: { pid: 200, startTime: 1200 }, since: 1200 },
    ],
    keeperPid: KEEPER,
    protectedPids: new Set(),
    earlier: new Map(),
    nestedTags: new Map(),
    hasRunTags: true,
    adoptsOrphans: true,
    runVariableOf: () => null,
    ...more,
  });
}

/** The pids that belong to the run. */
function check(
  rows: readonly ProcessRow[],
  pids: readonly number[],
  more: Partial<SnapshotInput> = {},
): void {
  const members = snapshot(rows, more).membersOf(RUN).map(({ pid }) => pid);
  assert.deepEqual(members, pids);
}

Deno.test("the tag proves membership, wherever the process went", () => {
  check([LEADER], [200]);
  check([LEADER, row(201, 1, TAG), row(202, KEEPER, TAG)], [200, 201, 202]);
  check([row(201, 1, TAG)], [201]);
  check([LEADER, row(300, 1, { tag: runNumber(OTHER) })], [200]);
});

Deno.test("descent proves membership of those who shed the tag", () => {
  check([LEADER, row(201, 200), row(202, 201)], [200, 201, 202]);
  check([LEADER, row(201, 200, { session: 200 }), row(300, 1)], [200, 201]);
});

Deno.test("the session of the living leader proves membership", () => {
  check([LEADER, row(201, 1, { session: 200 })], [200, 201]);
  // Another process got the leader's pid: its session proves nothing.
  const reused = row(200, 1, { startTime: 9999 });
  check([reused, row(201, 1, { session: 200 })], []);
});

Deno.test("an earlier proof holds for the same process only", () => {
  const earlier = new Map([[201, { startTime: 1201, runId: RUN }]]);
  check([LEADER, row(201, 1)], [200, 201], { earlier });
  check([LEADER, row(201, 1, { startTime: 5555 })], [200], { earlier });
  const forgotten = new Map([[201, { startTime: 1201, runId: OTHER }]]);
  check([LEADER, row(201, 1)], [200], { earlier: forgotten });
});

Deno.test("a copied variable proves nothing where there are tags", () => {
  const runVariableOf = (pid: number) => (pid === 300 ? RUN : null);
  check([LEADER, row(300, 1)], [200], { runVariableOf });
  check([LEADER, row(300, KEEPER)], [200, 300], { runVariableOf });
});

Deno.test("without tags and adoption the variable counts for orphans that began after the leader", () => {
  const mac = {
    hasRunTags: false,
    adoptsOrphans: false,
    runVariableOf: () => RUN,
  };
  const leader = row(200, KEEPER);
  check([leader, row(300, 1)], [200, 300], mac);
  const older = row(300, 1, { startTime: 5 });
  check([leader, older], [200], mac);
  // A shell into which somebody pasted the environment of a task.
  check([leader, row(300, 1, { startTime: 5 }), row(301, 300)], [200], mac);
  const terminal = row(290, 1, { startTime: 5 });
  check([leader, terminal, row(300, 290)], [200], mac);
});

Deno.test("without tags a living keeper that adopts needs no variable", () => {
  const more = { hasRunTags: false, runVariableOf: () => RUN };
  const leader = row(200, KEEPER);
  check([leader, row(300, 1)], [200], more);
  check([leader, row(300, KEEPER)], [200, 300], more);
});

Deno.test("without tags the variable counts for orphans of a dead keeper's run", () => {
  const runs = [{ runId: RUN, leader: null, since: 1290 }];
  const more = { hasRunTags: false, runVariableOf: () => RUN, runs };
  check([row(300, 1)], [300], more);
  check([row(280, 1)], [], more);
  const tagged = { ...more, hasRunTags: true };
  check([row(300, 1)], [], tagged);
});

Deno.test("what began before the run is not of it, even if it carries its tag", () => {
  check([LEADER, row(300, 1, { ...TAG, startTime: 1199 })], [200]);
  check([LEADER, row(300, 1, { ...TAG, startTime: 1200 })], [200, 300]);
  const runs = [{ runId: RUN, leader: null, since: 1250 }];
  check([row(240, 1, TAG), row(260, 1, TAG)], [260], { runs });
});

Deno.test("a recorded pid, group or session of a run without its keeper proves nothing", () => {
  const runs = [{ runId: RUN, leader: null, since: 1200 }];
  const stranger = row(200, 1, { startTime: 1200 });
  check([stranger, row(300, 1, { group: 200, session: 200 })], [], { runs });
});

Deno.test("a parent that is younger than its child is none", () => {
  // The child's parent ended while it was read, and the leader of the run got its pid.
  check([LEADER, row(300, 200, { startTime: 1100 })], [200]);
  // Start times of macOS follow the wall clock, which may be set back.
  const mac = { hasRunTags: false, adoptsOrphans: false };
  check([LEADER, row(300, 200, { startTime: 1100 })], [200, 300], mac);
});

Deno.test("what came from another taskmux inside of the run is told by the tag of that", () => {
  const inner = { tag: runNumber(OTHER) };
  const first = snapshot([LEADER, row(201, 200, inner)]);
  assert.deepEqual([...first.nestedTags()], [[inner.tag, RUN]]);
  const nestedTags = first.nestedTags();
  check([LEADER, row(300, KEEPER, inner)], [200, 300], { nestedTags });
  // Such a number may be set by anybody: only descent makes it a proof.
  check([LEADER, row(300, 1, inner)], [200], { nestedTags });
  check([LEADER, row(300, KEEPER, inner)], [200]);
});

Deno.test("protected processes and what they started belong to no run", () => {
  const protectedPids = new Set([201]);
  check([LEADER, row(201, 200, TAG), row(202, 201, TAG)], [200], {
    protectedPids,
  });
});

Deno.test("the keeper, process 1 and zombies are no members", () => {
  check([row(KEEPER, 1, TAG), row(1, 0, TAG)], []);
  check([LEADER, row(201, 200, { ...TAG, state: "zombie" })], [200]);
});

Deno.test("a torn scan with a ring of parents is no trap", () => {
  check([LEADER, row(300, 301), row(301, 300)], [200]);
});

Deno.test("a snapshot tells zombies to reap, groups and owners", () => {
  const found = snapshot([
    LEADER,
    row(201, 200, { ...TAG, group: 200 }),
    row(300, 1, { group: 200 }),
    row(301, KEEPER, { state: "zombie" }),
    row(302, 200, { state: "zombie" }),
  ]);
  assert.deepEqual(found.zombies(), [301]);
  assert.deepEqual(found.groupOf(200).map(({ pid }) => pid), [200, 201, 300]);
  assert.equal(found.runOf(201), RUN);
  assert.equal(found.runOf(300), null);
  assert.deepEqual([...found.membership().keys()], [200, 201]);
});
