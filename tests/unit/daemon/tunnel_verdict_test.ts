/**
 * What becomes of a tunnel, fact by fact.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  judgeTunnel,
  type VerdictFacts,
} from "../../../src/daemon/tunnels/tunnel_verdict.ts";
import {
  NEW_MACHINE,
  type Phase,
  type TaskMachine,
} from "../../../src/domain/task_machine.ts";

const RUN = {
  runId: "r1",
  pid: 1,
  startTime: "1",
  startedAt: 1,
  port: 1,
} as const;

const HEALTH = {} as Extract<Phase, { status: "running" }>["health"];

function machine(phase: Phase): TaskMachine {
  return { ...NEW_MACHINE, phase };
}

function stopping(
  kind: Extract<Phase, { status: "stopping" }>["kind"],
  restartAfterMs: number | null,
): TaskMachine {
  return machine({
    status: "stopping",
    kind,
    restartAfterMs,
    run: RUN,
    health: HEALTH,
    stage: "signals",
  });
}

const RUNNING = machine({
  status: "running",
  run: RUN,
  health: HEALTH,
  isSettled: true,
});

const FACTS: VerdictFacts = {
  record: {
    task: "web",
    backend: "cloudflare",
    hostname: "web.example.com",
    standing: false,
    isPaused: false,
    bootId: "boot",
  },
  task: {
    machine: RUNNING,
    isRestarting: false,
    inFile: { tunnel: "cloudflare", publicHostname: "web.example.com" },
  },
  leftMs: Infinity,
  bootId: "boot",
  isEnding: false,
};

/** `open`, `drop REASON` or `wait STATE REASON`. */
function verdict(
  facts: {
    readonly record?: Partial<VerdictFacts["record"]>;
    readonly task?: Partial<VerdictFacts["task"]>;
    readonly isEnding?: boolean;
    readonly leftMs?: number;
  } = {},
): string {
  const { isEnding = false, leftMs = Infinity } = facts;
  const found = judgeTunnel({
    ...FACTS,
    isEnding,
    leftMs,
    record: { ...FACTS.record, ...facts.record },
    task: { ...FACTS.task, ...facts.task },
  });
  switch (found.kind) {
    case "open":
      return "open";
    case "drop":
      return `drop ${found.because}`;
    case "wait":
      return `wait ${found.state} ${found.because}`;
  }
}

const standing = { standing: true };

Deno.test("a tunnel lasts as long as its task is up", () => {
  const up: readonly TaskMachine[] = [
    RUNNING,
    machine({ status: "waiting" }),
    machine({ status: "preparing", cause: "start" }),
    machine({ status: "backoff", until: 5 }),
    stopping("restart", 0),
    stopping("auto", 100),
    stopping("lost", null),
    stopping("stop", 0),
  ];
  for (const each of up) {
    assert.equal(verdict({ task: { machine: each } }), "open");
    assert.equal(
      verdict({ record: standing, task: { machine: each } }),
      "open",
    );
  }
  const down: readonly TaskMachine[] = [
    NEW_MACHINE,
    machine({ status: "completed" }),
    machine({ status: "failed" }),
    stopping("stop", null),
    stopping("kill", null),
    stopping("shutdown", null),
  ];
  for (const each of down) {
    const task = { machine: each };
    assert.equal(verdict({ task }), "drop task_stopped");
    assert.equal(
      verdict({ record: standing, task }),
      "wait waiting task_stopped",
    );
    // A restart by hand is down for a moment.
    assert.equal(verdict({ task: { ...task, isRestarting: true } }), "open");
  }
});

Deno.test("what ends a tunnel that does not stand", () => {
  assert.equal(verdict({ task: { machine: null } }), "drop task_removed");
  assert.equal(verdict({ leftMs: 1 }), "open");
  assert.equal(verdict({ leftMs: 0 }), "drop expired");
  assert.equal(verdict({ record: { bootId: "other" } }), "drop daemon_stopped");
  assert.equal(verdict({ isEnding: true }), "drop daemon_stopped");
  // The file does not matter: somebody asked for it by hand.
  assert.equal(verdict({ task: { inFile: null } }), "open");
});

Deno.test("one that stands waits, as long as the file says the same", () => {
  const record = standing;
  assert.equal(verdict({ record }), "open");
  assert.equal(verdict({ record: { ...record, bootId: "other" } }), "open");
  assert.equal(
    verdict({ record, isEnding: true }),
    "wait waiting daemon_stopped",
  );
  assert.equal(
    verdict({ record: { ...record, isPaused: true } }),
    "wait off down",
  );
  assert.equal(
    verdict({ record, leftMs: 0 }),
    "wait off expired",
  );
  const changed = [
    null,
    { tunnel: "ngrok", publicHostname: "web.example.com" },
    { tunnel: "cloudflare", publicHostname: "evil.example.com" },
    { tunnel: null, publicHostname: null },
  ];
  for (const inFile of changed) {
    assert.equal(
      verdict({ record, task: { inFile } }),
      "wait off config_changed",
    );
  }
  assert.equal(
    verdict({ record, task: { machine: null } }),
    "drop task_removed",
  );
});
