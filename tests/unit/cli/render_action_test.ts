import assert from "node:assert/strict";
import type { CheckResult } from "../../../src/cli/check_config.ts";
import {
  type ActionLines,
  actionLines,
  type ActionResult,
} from "../../../src/cli/render/action.ts";
import { checkLines } from "../../../src/cli/render/check.ts";
import { daemonLines, projectLines } from "../../../src/cli/render/daemon.ts";
import { eventLine, type EventRecord } from "../../../src/cli/render/events.ts";
import { LogPrinter } from "../../../src/cli/render/logs.ts";
import { makePaint } from "../../../src/cli/render/paint.ts";
import { VERSION } from "../../../src/contract/wire.ts";
import { PLAIN } from "./_samples.ts";

function check(
  what: string,
  result: ActionResult,
  expected: Partial<ActionLines>,
): void {
  Deno.test(`actionLines() tells ${what}`, () => {
    assert.deepEqual(
      actionLines(result, { paint: PLAIN, paintError: PLAIN }),
      { out: [], err: [], ...expected },
    );
  });
}

check("one task", {
  ok: true,
  task: "web",
  action: "started",
  state: "healthy",
  pid: 12,
  port: 3000,
  url: "http://localhost:3000",
}, { out: ['Started task "web" (healthy, pid 12, http://localhost:3000)'] });

check("a task that ran already", {
  ok: true,
  task: "web",
  action: "noop",
  state: "running",
  pid: 12,
  port: null,
  url: null,
}, { out: ['Already running: task "web" (running, pid 12)'] });

check("a stopped task", {
  ok: true,
  task: "web",
  action: "stopped",
  state: "stopped",
  pid: null,
}, { out: ['Stopped task "web"'] });

check("all tasks in order, then the session", {
  ok: true,
  session: "shop",
  action: "started",
  tasks: ["db", "web"],
  results: [
    { ok: true, task: "db", action: "started", state: "healthy", pid: 1 },
    { ok: true, task: "web", action: "started", state: "running", port: 80 },
  ],
  warnings: ["port 3000 was taken; web has port 80"],
}, {
  out: [
    'Started task "db" (healthy, pid 1)',
    'Started task "web" (running, port 80)',
    'Started session "shop" with 2 tasks',
  ],
  err: ["Warning: port 3000 was taken; web has port 80"],
});

check("what failed on stderr, and no whole that is not one", {
  ok: false,
  session: "shop",
  action: "started",
  tasks: ["db"],
  results: [
    { ok: true, task: "db", action: "started", state: "healthy", pid: 1 },
    {
      ok: false,
      task: "web",
      error_code: "E403",
      error: "Cannot start web: it exited with code 1",
      hint: "taskmux logs web",
    },
  ],
}, {
  out: ['Started task "db" (healthy, pid 1)'],
  err: [
    "Error [E403]: Cannot start web: it exited with code 1",
    "hint: taskmux logs web",
  ],
});

const EVENT: EventRecord = {
  seq: 5,
  ts: "2026-11-20T10:00:00.123Z",
  event: "task_exited",
  severity: "info",
  session: "shop",
  task: "web",
  exit_code: 1,
  reason: null,
  tasks: ["a", "b"],
};

Deno.test("eventLine() keeps brackets and tells facts, not emptiness", () => {
  assert.equal(
    eventLine(EVENT, { paint: PLAIN, withSession: false }),
    "2026-11-20T10:00:00Z [web] task_exited (exit code 1, tasks a b)",
  );
});

Deno.test("eventLine() names the project where there are several", () => {
  const { task: _task, ...event } = { ...EVENT, session: null };
  const options = { paint: PLAIN, withSession: true };
  assert.match(eventLine(EVENT, options), / \[shop\/web\] task_exited/);
  assert.match(eventLine(event, options), /Z \[taskmux\] task_exited/);
});

Deno.test("LogPrinter aligns texts and gives each task a colour of its own", () => {
  const printer = new LogPrinter(
    { paint: makePaint(true), colours: true, withTask: true },
    ["api", "website"],
  );
  const line = (task: string): string =>
    printer.line({ ts: "T", task, text: "x" });
  assert.equal(line("api"), "\x1b[2mT\x1b[0m \x1b[36m[api]    \x1b[0m x");
  assert.equal(line("website"), "\x1b[2mT\x1b[0m \x1b[32m[website]\x1b[0m x");
});

Deno.test("LogPrinter prints the output's own colours only where it may", () => {
  const record = { ts: "T", task: "a", text: "red", styled: "\x1b[31mred" };
  const print = (colours: boolean): string =>
    new LogPrinter({ paint: PLAIN, colours, withTask: false }).line(record);
  assert.equal(print(true), "T \x1b[31mred\x1b[0m");
  assert.equal(print(false), "T red");
});

const CHECKED: CheckResult = {
  ok: true,
  config: "/x/taskmux.toml",
  errors: [],
  warnings: [],
  task_count: 2,
};

Deno.test("checkLines() tells findings with their place, then the sum", () => {
  assert.deepEqual(checkLines(CHECKED, PLAIN), ["✓ config OK (2 tasks)"]);
  const warning = {
    severity: "warning",
    code: "command_not_found",
    task: "web",
    message: 'Command "x" is not found',
  } as const;
  assert.deepEqual(checkLines({ ...CHECKED, warnings: [warning] }, PLAIN), [
    '⚠ command_not_found web: Command "x" is not found',
    "1 warning in 2 tasks",
  ]);
  const error = {
    severity: "error",
    code: "E103",
    task: null,
    message: 'Unknown key "nmae"',
    line: 1,
    column: 2,
    hint: 'did you mean "name"?',
  } as const;
  const broken = { ...CHECKED, errors: [error], task_count: null, ok: false };
  assert.deepEqual(checkLines(broken, PLAIN), [
    '✗ E103 line 1:2: Unknown key "nmae" (did you mean "name"?)',
    "1 error, 0 warnings",
  ]);
});

Deno.test("daemonLines() tells a daemon that runs and one that does not", () => {
  const status = {
    ok: true as const,
    running: true,
    pid: 7,
    version: VERSION,
    started_at: 0,
    api_port: 8765,
    registered_projects: 1,
    public_tasks: 0,
    running_tasks: 3,
    keeper: { pid: 8 },
    service: { managed: false, units: [] },
    proxy: { enabled: false },
    dns: { resolver: "noop", active: false },
    warnings: [],
  };
  assert.deepEqual(daemonLines(status, PLAIN), [
    `Daemon: running (pid 7, taskmux ${VERSION}, since 1970-01-01T00:00:00.000Z)`,
    "Tasks: 3 running of 1 project",
    "Keeper: pid 8",
    "API: http://127.0.0.1:8765",
    "Proxy: disabled",
    "DNS: noop, not active",
  ]);
  assert.deepEqual(
    daemonLines({ ...status, running: false, registered_projects: 2 }, PLAIN),
    ["Daemon: not running, 2 projects registered"],
  );
  assert.match(
    daemonLines({ ...status, version: "9.9.9" }, PLAIN)[0] ?? "",
    /daemon restart/,
  );
});

Deno.test("projectLines() tells what is not known as such", () => {
  const project = {
    session: "shop",
    config_path: "/x/taskmux.toml",
    registered_at: "",
    state: "unmanaged" as const,
    session_exists: false,
    task_count: null,
    running_count: null,
  };
  const list = { ok: true as const, count: 1, daemon_pid: null };
  const options = { width: Infinity, paint: PLAIN };
  assert.deepEqual(projectLines({ ...list, projects: [project] }, options), [
    "  Session  State      Running  Tasks  Config",
    "  shop     unmanaged  ?        ?      /x/taskmux.toml",
  ]);
  assert.deepEqual(projectLines({ ...list, projects: [] }, options), [
    "No projects registered",
  ]);
});
