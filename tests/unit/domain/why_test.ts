/**
 * The explanation of every state, as tables: what decides, what is told, what comes next.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Redactor } from "../../../src/domain/redactor.ts";
import type { TaskEvent } from "../../../src/domain/event.ts";
import type { ErrorShape } from "../../../src/domain/error.ts";
import { unknownHealth } from "../../../src/domain/task_health.ts";
import {
  NEW_MACHINE,
  type Phase,
  snapshotTask,
  type TaskMachine,
} from "../../../src/domain/task_machine.ts";
import type { Dependency, TaskSpec } from "../../../src/domain/task_spec.ts";
import type { Exit, ProbeResult } from "../../../src/domain/task_state.ts";
import type { TaskSnapshot } from "../../../src/domain/task_view.ts";
import { explainTask } from "../../../src/domain/why.ts";
import type {
  Explanation,
  WhyFacts,
  WhyTask,
} from "../../../src/domain/why_facts.ts";
import {
  errorShape,
  healthSpec,
  restartSpec,
  runInfo,
  taskSpec,
} from "./_samples.ts";

const PURE = { permissions: "none" } as const;

const SECRET = "tok_9f8e7d6c5b4a3210";

const REDACTOR = new Redactor([SECRET]);

const NOW = 1_700_000_100_000;

interface Sample {
  readonly spec?: Partial<TaskSpec>;
  readonly machine?: Partial<TaskMachine>;
  readonly snapshot?: Partial<TaskSnapshot>;
  readonly lastEnd?: WhyTask["lastEnd"];
}

function taskOf({ spec, machine, snapshot, lastEnd }: Sample): WhyTask {
  const wholeSpec = taskSpec(spec);
  const wholeMachine = { ...NEW_MACHINE, ...machine };
  return {
    spec: wholeSpec,
    machine: wholeMachine,
    snapshot: {
      ...snapshotTask(wholeSpec, wholeMachine, {
        now: 1_000,
        waitingFor: [],
        configChanged: false,
      }),
      ...snapshot,
    },
    lastEnd: lastEnd ?? null,
    redactor: REDACTOR,
  };
}

function explain(
  sample: Sample,
  facts: Partial<Omit<WhyFacts, "task">> = {},
): Explanation {
  const explanation = explainTask({
    now: NOW,
    session: "shop",
    task: taskOf(sample),
    find: () => null,
    history: { wish: null, recent: [], hookFailure: null },
    lines: [],
    port: null,
    configError: null,
    watcher: "daemon",
    ...facts,
  });
  const kinds = explanation.chain.map(({ kind }) => kind)
    .filter((kind) => kind !== "dependency");
  assert.equal(new Set(kinds).size, kinds.length, `told twice: ${kinds}`);
  return explanation;
}

/** What decides, every kind in order, and both next steps. */
function gist({ chain, next }: Explanation): unknown[] {
  return [
    chain[0]?.text,
    chain.map(({ kind }) => kind).join(" "),
    next.taskmux,
    next.you,
  ];
}

function event(
  seq: number,
  type: TaskEvent["event"],
  data: Record<string, unknown> = {},
): TaskEvent {
  const ts = new Date(NOW - 60_000 + seq * 1_000).toISOString();
  return { seq, ts, event: type, session: "shop", task: "web", ...data };
}

function running(
  last: ProbeResult | null,
  knobs: { readonly failures?: number; readonly port?: number } = {},
): Phase {
  const { failures = 0, port = null } = knobs;
  return {
    status: "running",
    run: runInfo("r1", { startedAt: NOW - 4_000, port }),
    health: {
      ...unknownHealth(0),
      last,
      failures,
      isReady: failures > 0 || last?.ok === true,
    },
    isSettled: true,
  };
}

function failing(reason: string, output?: string): ProbeResult {
  return {
    ok: false,
    method: "http",
    reason,
    at: NOW - 500,
    ...output === undefined ? {} : { output },
  };
}

const HTTP = { health: healthSpec({ url: "http://127.0.0.1:$PORT/" }) };

const GOOD: ProbeResult = {
  ok: true,
  method: "http",
  reason: null,
  at: NOW - 2_000,
};

function ended(how: Partial<Exit>, reason = "exited"): WhyTask["lastEnd"] {
  const exit = { code: null, signal: null, at: NOW - 3_000, ...how };
  return { startedAt: NOW - 5_500, exit, reason };
}

function exitError(code: number): ErrorShape {
  return {
    ...errorShape("E403", `Task "web" exited with code ${code}`),
    details: { task: "web", exit_code: code },
  };
}

const STARTED = {
  wish: event(1, "task_started"),
  recent: [event(1, "task_started")],
  hookFailure: null,
};

Deno.test("explainTask() of a task that is down", PURE, () => {
  assert.deepEqual(gist(explain({})), [
    "it was never started",
    "wish",
    "nothing until it is started",
    "taskmux start web",
  ]);
  assert.match(
    explain({ spec: { autoStart: false } }).summary,
    /^Task "web" is stopped: it was never started, and has auto_start = false$/,
  );
  const byHand = explain({
    machine: { manual: true },
    lastEnd: ended({ signal: "SIGINT" }, "stopped"),
  }, {
    history: {
      wish: event(50, "task_stopped", { reason: "manual" }),
      recent: [],
      hookFailure: null,
    },
  });
  assert.deepEqual(gist(byHand), [
    'wanted down since it was stopped by hand ("taskmux stop") 10s ago',
    "wish exit",
    "nothing: stopped by hand it stays down until it is started",
    "taskmux start web",
  ]);
  assert.equal(byHand.chain[0]?.age_s, 10);
  assert.equal(byHand.chain[0]?.at, (NOW - 10_000) / 1000);
  const stubborn = explain({
    machine: { manual: true },
    lastEnd: ended({ signal: "SIGKILL" }),
  });
  assert.equal(
    stubborn.chain.find(({ kind }) => kind === "exit")?.text,
    "was ended by SIGKILL after 2.5s, 3s ago",
    "a stop of taskmux ends with SIGKILL what ignores the rest",
  );
  const killed = explain({ machine: { manual: true } }, {
    history: { wish: event(50, "task_killed"), recent: [], hookFailure: null },
  });
  assert.match(killed.summary, /killed by hand \("taskmux kill"\) 10s ago$/);
  const shutDown = explain({ machine: { desired: "up" } }, {
    history: {
      wish: event(50, "task_stopped", { reason: "shutdown" }),
      recent: [],
      hookFailure: null,
    },
  });
  assert.match(shutDown.summary, /taken down with the daemon or its project/);
});

Deno.test("explainTask() of a project whose hook failed", PURE, () => {
  const hookFailure = {
    ...event(40, "hook_failed", {
      hook: "before_start",
      reason:
        "Cannot run hook before_start of the project: it exited with code 1",
      output_tail: "no docker",
    }),
    task: undefined,
  } as unknown as TaskEvent;
  const down = explain({}, {
    history: { wish: null, recent: [], hookFailure },
  });
  assert.equal(down.chain[0]?.kind, "hook");
  assert.equal(down.chain[0]?.["output"], "no docker");
  assert.match(down.summary, /hook before_start of the project.* 20s ago$/);
  // One that failed before the task was last started is an old story.
  const later = explain({}, {
    history: { wish: event(41, "task_stopped"), recent: [], hookFailure },
  });
  assert(!later.chain.some(({ kind }) => kind === "hook"));
});

Deno.test(
  "explainTask() of a task that waits follows it to the root",
  PURE,
  () => {
    const waitingFor = (task: string, state: TaskSnapshot["state"]) => ({
      machine: { desired: "up", phase: { status: "waiting" } } as const,
      snapshot: {
        waitingFor: [{ task, condition: "healthy" as const, state }],
      },
    });
    const others: Record<string, WhyTask> = {
      api: taskOf({ spec: { name: "api" }, ...waitingFor("db", "unhealthy") }),
      db: taskOf({
        spec: { name: "db", ...HTTP },
        machine: {
          phase: running(failing("status 500 != 200", "no disk"), {
            failures: 3,
          }),
        },
      }),
    };
    const find = (name: string): WhyTask | null => others[name] ?? null;
    const why = explain(waitingFor("api", "waiting"), { find });
    assert.deepEqual(gist(why), [
      "it waits for api (healthy), which is waiting itself",
      "dependency dependency wish",
      "starts it as soon as api allows it",
      "taskmux why db",
    ]);
    assert.equal(
      why.chain[1]?.text,
      "api waits for db (healthy), which is unhealthy: status 500 != 200",
    );
    assert.equal(why.chain[1]?.["output"], "no disk");
    assert.match(why.summary, /waiting itself; api waits for db/);

    // A ring is refused by the configuration; if there were one it would be told once around.
    others["db"] = taskOf({
      spec: { name: "db" },
      ...waitingFor("web", "waiting"),
    });
    assert.equal(
      explain(waitingFor("api", "waiting"), { find }).chain
        .filter(({ kind }) => kind === "dependency").length,
      2,
    );
    const gone = explain(waitingFor("ghost", "stopped"), { find });
    assert.equal(
      gone.chain[0]?.text,
      "it waits for ghost (healthy), which does not exist",
    );

    const crashing = taskOf({
      spec: { name: "db" },
      machine: {
        restarts: 2,
        error: exitError(1),
        phase: { status: "backoff", until: 3_000 },
      },
    });
    const soon = explain(waitingFor("db", "backoff"), { find: () => crashing });
    assert.equal(
      soon.chain[0]?.text,
      'it waits for db (healthy), which is in backoff: Task "web" exited with code 1; restarts in 2s',
    );
  },
);

Deno.test("explainTask() tells at most six links of dependencies", PURE, () => {
  const names = Array.from({ length: 30 }, (_, at) => `t${at}`);
  const waitsFor = (list: readonly string[]) =>
    list.map((task) => ({
      task,
      condition: "started" as const,
      state: "starting" as const,
    }));
  const why = explain({
    machine: { phase: { status: "waiting" } },
    snapshot: { waitingFor: waitsFor(names) },
  }, {
    find: (name) =>
      taskOf({
        spec: { name },
        machine: { phase: { status: "preparing", cause: "start" } },
      }),
  });
  assert.equal(why.chain.filter(({ kind }) => kind === "dependency").length, 6);
});

Deno.test("explainTask() of a task on its way up", PURE, () => {
  const hooked = explain({
    spec: { hooks: { before_start: "make db" } },
    machine: { phase: { status: "preparing", cause: "start" } },
  });
  assert.deepEqual(gist(hooked).slice(0, 3), [
    "its before_start hook runs: make db",
    "stage wish",
    "spawns it when its before_start hook is done (30 s at most)",
  ]);
  const spawning = explain({
    machine: {
      phase: { status: "spawning", cause: "start", interrupted: null },
    },
  });
  assert.equal(spawning.chain[0]?.text, "its process is being spawned");
  const unanswered = explain({ spec: HTTP, machine: { phase: running(null) } });
  assert.deepEqual(gist(unanswered), [
    "no probe has answered yet",
    "probe run wish",
    "probes it several times a second until it is healthy; failures count after another 6s (boot_grace)",
    "taskmux wait web",
  ]);
  const silent = explain({
    spec: { health: healthSpec({ readyLog: "ready in" }) },
    machine: { phase: running(null) },
  });
  assert.equal(silent.chain[0]?.text, 'no line matches "ready in" yet');
  const refused = explain({
    spec: HTTP,
    machine: { phase: running(failing("connect refused"), { port: 3000 }) },
  }, {
    port: { port: 3000, holders: [] },
    lines: ["Error: no such module"],
    history: STARTED,
  });
  assert.equal(
    refused.summary,
    'Task "web" is starting: http probe failed 500ms ago: connect refused; nothing listens on port 3000',
  );
  assert.deepEqual(refused.chain[2]?.["lines"], ["Error: no such module"]);
  const elsewhere = explain({
    spec: HTTP,
    machine: { phase: running(failing("connect refused"), { port: 3000 }) },
  }, { port: { port: 3000, holders: [], elsewhere: [5173] } });
  assert.equal(
    elsewhere.chain[1]?.text,
    "it listens on port 5173, not on its $PORT, 3000: use $PORT in its command, or set port = 5173",
  );
  const twice = explain({
    spec: HTTP,
    machine: {
      phase: running(failing("nothing listens on port 3000"), { port: 3000 }),
    },
  }, { port: { port: 3000, holders: [] } });
  assert.equal(
    twice.summary,
    'Task "web" is starting: http probe failed 500ms ago: nothing listens on port 3000',
  );
});

Deno.test("explainTask() of a task that runs", PURE, () => {
  assert.deepEqual(gist(explain({ machine: { phase: running(null) } })), [
    "runs as pid 4711 for 4s",
    "run wish",
    "restarts it if it fails",
    null,
  ]);
  const healthy = explain({ spec: HTTP, machine: { phase: running(GOOD) } }, {
    history: STARTED,
  });
  assert.deepEqual(gist(healthy), [
    "http probe succeeded 2s ago",
    "probe run wish events",
    "probes it every 10s, restarts it if it fails",
    null,
  ]);
  const changed = explain({
    machine: { phase: running(null) },
    snapshot: { configChanged: true },
  });
  assert.equal(changed.next.you, "taskmux restart web");
  assert.match(JSON.stringify(changed.chain), /"config_changed":true/);
});

Deno.test("explainTask() of a task that is unhealthy", PURE, () => {
  const phase = running(failing("status 500 != 200", "no database"), {
    failures: 3,
  });
  const sick = explain({ spec: HTTP, machine: { phase } });
  assert.deepEqual(gist(sick), [
    "http probe failed 500ms ago: status 500 != 200 (failure 3, 3 make it unhealthy)",
    "probe run wish",
    "probes it every 10s, restarts it after 1 more failed probe",
    "taskmux logs web",
  ]);
  assert.equal(sick.chain[0]?.["output"], "no database");
  const noRestart = explain({
    spec: { ...HTTP, restart: restartSpec({ policy: "no" }) },
    machine: { phase },
  });
  assert.match(
    noRestart.next.taskmux,
    /does not restart it \(restart_policy = "no"\)/,
  );
  const gaveUp = explain({
    spec: HTTP,
    machine: { phase, gaveUp: true, restarts: 5 },
  });
  assert.match(
    JSON.stringify(gaveUp.chain),
    /gave up after 5 automatic restarts/,
  );
  assert.match(gaveUp.next.taskmux, /restarts it no more/);
  const foreign = explain({ spec: HTTP, machine: { phase } }, {
    port: {
      port: 3000,
      holders: [{
        pid: 99,
        command: "python3 -m http.server",
        addresses: [],
        uid: null,
        ours: false,
        session: null,
        task: null,
        run_id: null,
      }],
    },
  });
  assert.match(
    foreign.summary,
    /; port 3000 is held by "python3 -m http\.server" \(pid 99, no task of taskmux\)$/,
  );
});

Deno.test("explainTask() of a task that is being stopped", PURE, () => {
  const stopping = (knobs: Partial<Phase & { status: "stopping" }>) =>
    explain({
      machine: {
        phase: {
          status: "stopping",
          kind: "stop",
          restartAfterMs: null,
          run: runInfo("r1", { startedAt: NOW - 4_000 }),
          health: unknownHealth(0),
          stage: "signals",
          ...knobs,
        },
      },
    });
  assert.deepEqual(gist(stopping({})), [
    "somebody stops it; not all of its processes are gone yet",
    "stage run wish",
    "ends it with SIGINT, SIGTERM after 5s, SIGKILL 3s later",
    "taskmux kill web",
  ]);
  assert.match(
    stopping({ kind: "restart", stage: "before", restartAfterMs: 0 }).next
      .taskmux,
    /before_stop hook is done .*, then starts it again$/,
  );
  assert.match(
    stopping({ kind: "auto" }).summary,
    /failed its probes and is being restarted/,
  );
  assert.match(stopping({ stage: "after" }).next.taskmux, /after_stop hook/);
  const lost = stopping({ kind: "lost" });
  assert.equal(lost.chain[0]?.kind, "keeper");
  assert.match(lost.next.taskmux, /^ends what is left of it/);
  assert.equal(stopping({ kind: "kill" }).next.you, null);
});

Deno.test(
  "explainTask() tells what is wanted now, before there is an event of it",
  PURE,
  () => {
    const wishOf = (
      desired: "up" | "down",
      wish: WhyFacts["history"]["wish"],
    ): unknown =>
      explain({ machine: { desired } }, {
        history: { wish, recent: [], hookFailure: null },
      }).chain.find(({ kind }) => kind === "wish")?.text;
    const started = event(50, "task_started");
    const stopped = event(50, "task_stopped", { reason: "manual" });
    const shutDown = event(50, "task_stopped", { reason: "shutdown" });
    assert.equal(wishOf("down", started), "it is wanted down");
    assert.equal(wishOf("up", stopped), "it is wanted up");
    assert.equal(wishOf("up", event(50, "task_killed")), "it is wanted up");
    assert.match(
      String(wishOf("up", started)),
      /^wanted up since it was started/,
    );
    assert.match(String(wishOf("up", shutDown)), /^taken down with the daemon/);
  },
);

Deno.test("explainTask() of a task between two restarts", PURE, () => {
  const backoff = {
    restarts: 3,
    error: exitError(3),
    phase: { status: "backoff", until: 5_000 },
  } as const;
  const crashed = explain({
    machine: backoff,
    lastEnd: ended({ code: 3 }),
  }, { lines: ["TypeError: x"], history: STARTED });
  assert.deepEqual(gist(crashed), [
    "exited with code 3 after 2.5s, 3s ago",
    "exit backoff wish events",
    "starts it again in 4s",
    "taskmux logs web",
  ]);
  assert.equal(
    crashed.summary,
    'Task "web" is in backoff: exited with code 3 after 2.5s, 3s ago; automatic restart 3 of at most 5 follows in 4s',
  );
  const { lines, ran_s, exit_code } = crashed.chain[0]!;
  assert.deepEqual([lines, ran_s, exit_code], [["TypeError: x"], 2.5, 3]);
  assert.deepEqual(
    [crashed.chain[1]?.["restart_in_s"], crashed.chain[1]?.["max"]],
    [4, 5],
  );
  // The signal with which taskmux ended it is not what was wrong with it.
  const sick = explain({
    spec: HTTP,
    machine: { ...backoff, error: null },
    lastEnd: ended({ signal: "SIGINT" }, "stopped"),
  }, {
    history: {
      wish: null,
      recent: [
        event(10, "task_unhealthy", {
          method: "http",
          reason: "status 500 != 200",
        }),
        event(11, "auto_restart", { reason: "health_retries_exceeded" }),
        event(12, "task_exited"),
      ],
      hookFailure: null,
    },
  });
  assert.match(
    String(sick.chain[0]?.text),
    /^http probe failed .*status 500 != 200$/,
  );
});

const failed = (error: ErrorShape, more: Partial<TaskMachine> = {}) => ({
  machine: { error, phase: { status: "failed" }, ...more } as const,
});
Deno.test("explainTask() of a task whose run failed", PURE, () => {
  const cases: [
    how: Partial<Exit>,
    code: number,
    text: string,
  ][] = [
    [{ code: 1 }, 1, "exited with code 1 after 2.5s, 3s ago"],
    [
      { code: 127 },
      127,
      "exited with code 127 (command not found) after 2.5s, 3s ago",
    ],
    [
      { code: 126 },
      126,
      "exited with code 126 (command cannot be executed) after 2.5s, 3s ago",
    ],
    [
      { code: 137 },
      137,
      "exited with code 137 (SIGKILL ended a process of it) after 2.5s, 3s ago",
    ],
    [{ signal: "SIGSEGV" }, -11, "was ended by SIGSEGV after 2.5s, 3s ago"],
    [
      { signal: "SIGKILL" },
      -9,
      "was ended by SIGKILL (not by taskmux: out of memory, or somebody's kill) after 2.5s, 3s ago",
    ],
  ];
  for (const [how, code, text] of cases) {
    const why = explain({ ...failed(exitError(code)), lastEnd: ended(how) });
    assert.deepEqual(gist(why), [
      text,
      "exit wish",
      "nothing until it is started",
      "taskmux logs web",
    ]);
    assert.equal(why.chain[0]?.["exit_code"], code);
  }
  const gaveUp = explain({
    ...failed(exitError(1), { gaveUp: true, restarts: 5 }),
    lastEnd: ended({ code: 1 }),
  });
  assert.deepEqual(gist(gaveUp)[1], "exit restarts wish");
});

Deno.test("explainTask() of a task that could not be started", PURE, () => {
  const hook = explain(failed({
    ...errorShape(
      "E400",
      "Cannot run hook before_start: it exited with code 4",
    ),
    details: { hook: "before_start", output_tail: "cannot reach db" },
  }));
  assert.deepEqual([hook.chain[0]?.kind, hook.chain[0]?.["output"]], [
    "hook",
    "cannot reach db",
  ]);
  assert.equal(hook.next.you, "taskmux start web");

  const port = explain(
    failed({
      ...errorShape("E214", "Cannot give port 3000"),
      details: { port: 3000 },
    }),
    { port: { port: 3000, holders: [] } },
  );
  assert.equal(port.chain[1]?.text, "port 3000 is free now");
  assert.deepEqual([port.chain[0]?.kind, port.next.you], [
    "error",
    "taskmux who 3000",
  ]);

  const folder = explain(failed(errorShape("E213", "no folder")));
  assert.equal(folder.next.you, "mkdir -p /project");

  const dependsOn: Dependency[] = [{ task: "db", condition: "healthy" }];
  const dependency = explain({
    ...failed({ ...errorShape("E402"), details: { dependency: "db" } }),
    spec: { dependsOn },
  }, {
    find: () =>
      taskOf({
        spec: { name: "db" },
        machine: { error: exitError(9), phase: { status: "failed" } },
      }),
  });
  assert.equal(
    dependency.chain[0]?.text,
    'it needed db (healthy), which is failed: Task "web" exited with code 9',
  );
  assert.equal(dependency.next.you, "taskmux why db");
});

Deno.test("explainTask() of a task that has done its work", PURE, () => {
  const done = explain({
    machine: { desired: "up", phase: { status: "completed" } },
    lastEnd: ended({ code: 0 }),
  });
  assert.deepEqual(gist(done), [
    "exited with code 0 after 2.5s, 3s ago",
    "exit wish",
    "nothing: it has done its work",
    null,
  ]);
});

Deno.test("explainTask() tells who is not there to act", PURE, () => {
  const kept = explain({
    snapshot: {
      state: "running",
      run: runInfo("r1", { startedAt: NOW - 1_000 }),
    },
  }, { watcher: "kept" });
  assert.deepEqual(gist(kept), [
    "no daemon runs, only its keeper: nobody watches over the tasks; the task runs on as pid 4711",
    "daemon run wish",
    "nothing: no daemon runs that could",
    "taskmux daemon start",
  ]);
  assert.equal(kept.summary, 'Task "web" is running: runs as pid 4711 for 1s');
  const nobody = explain({}, { watcher: "nobody" });
  assert.deepEqual(gist(nobody), [
    "no daemon runs, so nothing of taskmux does",
    "daemon wish",
    "nothing: no daemon runs that could",
    "taskmux start web",
  ]);
  assert.equal(
    nobody.summary,
    'Task "web" is stopped (no daemon runs): it was never started',
  );
  assert.equal(
    explain({}, { watcher: "silent" }).next.you,
    "taskmux daemon start",
  );
  const alone = explain({ machine: { phase: running(null) } }, {
    watcher: "alone",
  });
  assert.equal(alone.chain[0]?.kind, "keeper");
});

Deno.test("explainTask() tells what is wrong with the file", PURE, () => {
  const why = explain({}, {
    configError: {
      error_code: "E101",
      error: "Cannot read it\nline 3",
      line: 3,
    },
  });
  const config = why.chain.find(({ kind }) => kind === "config");
  assert.match(
    String(config?.text),
    /what was read before stays in force: Cannot read it$/,
  );
  assert.equal(config?.["line"], 3);
  assert.equal(why.next.you, "taskmux check");
  const gone = explain({}, {
    configError: { error_code: "E100", error: "Cannot find it", line: null },
  });
  assert.match(
    JSON.stringify(gone.chain),
    /taskmux\.toml is gone: Cannot find it/,
  );
});

Deno.test("explainTask() cuts no secret in two", PURE, () => {
  const hook = {
    ...errorShape("E400", "Cannot run hook before_start"),
    details: { output_tail: `and ${SECRET}${"x".repeat(290)}` },
  };
  const told = [
    explain(failed(hook)),
    explain({
      spec: HTTP,
      machine: {
        phase: running({
          ...failing("exit 1"),
          output: `${"x".repeat(290)}${SECRET} and`,
        }),
      },
    }),
  ].map((why) => String(why.chain[0]?.["output"]));
  assert.match(told[0]!, /^and \*{3}x{290}$/);
  assert.match(told[1]!, /^x{290}\*{3} and$/);
});
