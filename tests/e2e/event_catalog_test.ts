/**
 * What events carry is what the page on events says, in a life full of trouble. (Every other test with a daemon is
 * checked for the same when it ends.)
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { severityOf } from "../../src/domain/event_catalog.ts";
import { eventLine } from "../../src/cli/render/events.ts";
import { killDaemon, killKeeper } from "../support/crashes.ts";
import { undocumented } from "../support/documented_events.ts";
import type { TestProject } from "../support/project.ts";
import { killIfThere, type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const PROJECT = `
name = "busy"
[hooks]
after_stop = "echo no; exit 7"
[tasks.web]
command = "exec sleep 1000"
host = "web"
health_check = "test -f ok"
health_interval = 0.1
health_retries = 2
boot_grace = 0.1
restart_policy = "no"
[tasks.crash]
command = "exit 3"
restart_policy = "always"
max_restarts = 1
restart_backoff = 1
auto_start = false
[tasks.once]
command = "true"
[tasks.bad]
command = "exit 4"
restart_policy = "no"
[tasks.hooked]
command = "exec sleep 1000"
max_restarts = 1
hooks.before_start = "test ! -f broken"
[tasks.stubborn]
command = "trap '' HUP; echo up; while :; do sleep 1; done"
`;

/** What the trouble must have told, whatever else it did. */
const EXPECTED = [
  "auto_restart",
  "auto_restart_failed",
  "config_error",
  "config_missing",
  "config_reloaded",
  "daemon_started",
  "daemon_stopped",
  "environment_lost",
  "health_check_failed",
  "hook_failed",
  "keeper_lost",
  "max_restarts_reached",
  "orphan_reaped",
  "port_changed",
  "project_registered",
  "session_started",
  "session_stopped",
  "state_damaged",
  "task_completed",
  "task_exited",
  "task_failed",
  "task_healthy",
  "task_killed",
  "task_restarted",
  "task_started",
  "task_stopped",
  "task_unhealthy",
];

Deno.test("every event of a life full of trouble is as documented", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await everyday(project);
  await crashes(taskmux, project);
  await damage(taskmux, project);
  const { events } = await taskmux.call("event.list", { limit: 0 });
  assert.deepEqual(events.flatMap(undocumented), []);
  const types = new Set(events.map(({ event }) => event));
  assert.deepEqual(EXPECTED.filter((type) => !types.has(type)), []);
  for (const event of events) {
    assert.equal(event.severity, severityOf(event.event));
    assertReadable(event);
  }
});

async function everyday(project: TestProject): Promise<void> {
  await project.file("ok", "");
  await project.run(["start"]);
  await project.when("web", "healthy");
  await Deno.remove(`${project.folder}/ok`);
  await project.whenEvent("task_unhealthy", "web");
  const { port } = await project.task("web");
  await project.run(["stop", "web"]);
  assert(port !== null);
  {
    using _stranger = Deno.listen({ hostname: "127.0.0.1", port });
    await project.run(["start", "web"]);
  }
  await project.run(["start", "crash"]);
  await project.whenEvent("max_restarts_reached", "crash");
  await project.file("broken", "");
  killIfThere(await project.pid("hooked"));
  await project.whenEvent("auto_restart_failed", "hooked");
  await Deno.remove(`${project.folder}/broken`);
  await project.run(["kill", "web"]);
  await project.replace("name = ");
  await project.whenEvent("config_error");
  await project.replace(PROJECT + `[tasks.new]\ncommand = "true"\n`);
  await project.whenEvent("config_reloaded");
  await project.run(["stop"]);
  await project.run(["start"]);
}

async function crashes(taskmux: Taskmux, project: TestProject): Promise<void> {
  await until(async () => (await project.log("stubborn")).includes("up"));
  await killKeeper(taskmux);
  await project.whenEvent("orphan_reaped", "stubborn");
  await project.when("stubborn", "running");
  const { keeper } = await taskmux.call("daemon.status", {});
  await killDaemon(taskmux);
  assert(keeper.pid !== null);
  killIfThere(keeper.pid);
  await taskmux.ok(["daemon", "start"]);
  await project.whenEvent("environment_lost", "stubborn");
}

async function damage(taskmux: Taskmux, project: TestProject): Promise<void> {
  await taskmux.run(["daemon", "stop"]);
  await Deno.writeTextFile(taskmux.home.paths.registry, "{");
  await taskmux.ok(["daemon", "start"]);
  await project.run(["start"]);
  await Deno.remove(project.config);
  await until(async () => {
    const { events } = await taskmux.call("event.list", {
      scope: { session: "busy" },
      types: ["config_missing"],
    });
    return events.length > 0;
  }, { what: "config_missing" });
}

/** People are told no raw numbers of seconds, identifiers, nor words of programs. */
function assertReadable(event: Result<"event.list">["events"][number]): void {
  const line = eventLine(event, {
    paint: (_style, text) => text,
    withSession: false,
  });
  assert.doesNotMatch(line, /[=_]\d|1[67]\d{8}|undefined|\[object/, line);
  assert.doesNotMatch(line, /run id|ended at|kept tasks/);
}
