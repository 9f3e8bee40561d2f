/**
 * `--json`: one value, whatever is asked and whatever comes of it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Json, testTaskmux } from "../support/taskmux.ts";

/** Keys that the user's contract promises. */
const STATUS_KEYS = [
  "ok",
  "session",
  "project_id",
  "running",
  "active_tasks",
  "tasks",
  "aliases",
  "proxy",
  "daemon_pid",
];

const TASK_KEYS = [
  "name",
  "running",
  "healthy",
  "state",
  "command",
  "auto_start",
  "pid",
  "port",
  "host",
  "url",
  "public_url",
  "tunnel",
  "restart_policy",
  "restart_count",
  "cwd",
  "depends_on",
  "started_at",
  "exit_code",
  "last_health",
  "events",
];

const INSPECT_KEYS = [
  ...TASK_KEYS,
  "ok",
  "env",
  "hooks",
  "health",
  "log_file",
  "pids",
  "runs",
];

// There were four shapes of errors, failures with exit status 0, and text in between (defects 19 and 28).
Deno.test("every command prints exactly one JSON value, wherever --json stands", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "one"
[tasks.web]
command = "exec sleep 1000"
host = "web"
[tasks.late]
command = "exec sleep 1000"
auto_start = false
`);
  const answers: [args: string[], keys: readonly string[]][] = [
    [["--json", "start"], ["session", "action", "tasks", "warnings"]],
    [["status", "--json"], STATUS_KEYS],
    [["--json", "list"], STATUS_KEYS],
    [["ls", "--json"], STATUS_KEYS],
    [["health", "--json"], ["healthy_count", "total_count", "tasks"]],
    [["inspect", "--json", "web"], INSPECT_KEYS],
    [["logs", "--json"], ["lines", "cursor"]],
    [["logs", "web", "--json"], [
      "task",
      "lines",
      "cursor",
      "dropped",
      "has_more",
    ]],
    [["events", "--json"], ["events", "count", "cursor"]],
    [["env", "--json"], ["env"]],
    [["start", "late", "--json"], ["task", "action", "state", "pid"]],
    [["restart", "--json", "web", "late"], ["results"]],
    [["kill", "late", "--json"], ["task", "action"]],
    [["run", "--json", "once", "--", "sleep", "1000"], ["task", "action"]],
    [["wait", "web", "--for", "running", "--json"], ["for", "waited", "tasks"]],
    [["ensure", "late", "--json"], ["task", "action", "url", "port", "age"]],
    [["why", "web", "--json"], ["task", "state", "summary", "chain", "next"]],
    [["logs-clean", "--json"], ["task", "deleted"]],
    [["check", "--json"], ["errors", "warnings"]],
    [["add", "more", "true", "--manual", "--json"], ["task", "action"]],
    [["remove", "more", "--json"], ["task", "action"]],
    [["init", "--json"], ["session", "config_path"]],
    [["config", "show", "--json"], []],
    [["config", "path", "--json"], []],
    [["alias", "add", "db", "1", "--json"], ["alias", "host", "port", "url"]],
    [["alias", "list", "--json"], ["aliases", "count"]],
    [["url", "db", "--json"], ["task", "url", "public_url"]],
    [["url", "--json"], ["urls"]],
    [["alias", "remove", "db", "--json"], ["alias", "action"]],
    [["prune", "--json"], ["report", "applied"]],
    [["clean", "--dry-run", "--json"], ["dry_run", "reports"]],
    [["daemon", "status", "--json"], ["running", "pid"]],
    [["daemon", "pid", "--json"], ["pid"]],
    [["daemon", "list", "--json"], ["projects", "count"]],
    [["daemon", "register", "--json"], ["action", "entry"]],
    [["stop", "--json"], ["session", "action", "tasks"]],
    [["daemon", "unregister", "one", "--json"], ["session", "stopped"]],
    [["daemon", "stop", "--json"], ["pid"]],
  ];
  for (const [args, keys] of answers) {
    const run = await project.run(args);
    const answer = run.json();
    const what = `${args.join(" ")}: ${run.stdout}`;
    assert.equal(run.code, 0, what);
    assert.equal(answer["ok"], true, what);
    for (const key of keys) assert(key in answer, `${key} in ${what}`);
    if (keys === STATUS_KEYS) {
      const [task] = answer["tasks"] as readonly Json[];
      for (const key of TASK_KEYS) assert(key in task!, `${key} in ${what}`);
    }
  }
});

Deno.test("an error for people names code and next command on stderr, and nothing on stdout", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(
    `name = "people"\n[tasks]\nweb = "exec sleep 1000"\nbad = "exit 2"\n`,
  );
  const unknown = await project.run(["start", "wev"]);
  assert.equal(unknown.code, 4);
  assert.equal(unknown.stdout, "");
  assert.equal(
    unknown.stderr,
    "Error [E200]: Task 'wev' not found in config\n" +
      'hint: did you mean "web"?\n',
  );
  const partial = await project.run(["start"]);
  assert.equal(partial.code, 1);
  assert.match(partial.stdout, /web/);
  assert.match(partial.stderr, /Error \[E403\]: .*exited with code 2/);
  assert.match(partial.stderr, /hint: taskmux logs bad/);
  const running = await project.run(["start", "web"]);
  assert.equal(running.code, 5);
  assert.match(running.stderr, /E201/);
});
