/**
 * A boot of the machine: everything is gone at once, and the kernel has another boot id. The id is a file of the test's
 * in a mount namespace, in which daemon and keeper run. Needs the right to make one.
 *
 * @module
 */

import assert from "node:assert/strict";
import { cliCommand } from "../../support/deno_flags.ts";
import { lives, procFiles } from "../../support/processes.ts";
import { seqOf, type TestProject } from "../../support/project.ts";
import {
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

const CAN_FAKE_BOOT = Deno.build.os === "linux" &&
  new Deno.Command("unshare", {
    args: ["--mount", "mount", "--bind", "/etc/hostname", BOOT_ID],
    stdout: "null",
    stderr: "null",
  }).outputSync().success;

if (!CAN_FAKE_BOOT) {
  console.error("SKIPPED: cold boots need the right to make a mount namespace");
}

/** Starts the daemon on a machine with this boot id. @returns Whether it came up. */
async function tryBoot(taskmux: Taskmux, id: string): Promise<boolean> {
  const { root, paths, env, work } = taskmux.home;
  const file = `${root}/${id}`;
  await Deno.writeTextFile(file, `${id}\n`);
  const { program, args } = cliCommand(paths, ["daemon", "start"]);
  const { success } = await new Deno.Command("unshare", {
    args: [
      "--mount",
      "sh",
      "-c",
      `mount --bind "$1" ${BOOT_ID} && shift && exec "$@"`,
      "sh",
      file,
      program,
      ...args,
    ],
    cwd: work,
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  return success;
}

async function boot(taskmux: Taskmux, id: string): Promise<void> {
  assert(await tryBoot(taskmux, id), "the daemon came up");
}

/** The power fails. Only these processes stay: on the next boot they are strangers with a pid that is known. */
async function cutPower(
  taskmux: Taskmux,
  strangers: readonly number[],
): Promise<void> {
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  killIfThere(daemon);
  await until(async () => {
    const left = (await taskmux.processes()).filter(({ pid }) =>
      !strangers.includes(pid)
    );
    for (const { pid } of left) killIfThere(pid);
    return left.length === 0;
  });
}

function startTimeOf(pid: number): string {
  const stat = procFiles().text(`/proc/${pid}/stat`) ?? "";
  return stat.slice(stat.lastIndexOf(")")).split(" ")[20] ?? "";
}

const STACK = `
name = "boot"
[tasks.api]
command = "test -e up.db && echo $PORT >> ports && exec sleep 1000"
host = "api"
depends_on = ["db"]
restart_policy = "no"
health_check = "true"
[tasks.db]
command = "test -e up.migrate || exit 1; sleep 0.3; touch up.db; exec sleep 1000"
depends_on = { migrate = "completed" }
health_check = "test -e up.db"
restart_policy = "no"
[tasks.migrate]
command = "sleep 0.3; touch up.migrate"
restart_policy = "no"
[tasks.stopped]
command = "exec sleep 1000"
restart_policy = "always"
[tasks.never]
command = "exec sleep 1000"
auto_start = false
restart_policy = "always"
[tasks.survivor]
command = "trap '' HUP; exec sleep 1000"
`;

/** Each task's first start since that event, in the order of dependencies. */
async function assertOrder(project: TestProject, last: number): Promise<void> {
  const events = (await project.events()).filter(({ seq }) => seq > last);
  const started = seqOf(events, "task_started");
  assert(started["migrate"]! < started["db"]!, "migrate before db");
  assert(started["db"]! < started["api"]!, "db before api");
  assert(!events.some(({ event }) => event === "orphan_reaped"));
}

Deno.test({
  name:
    "after a boot what was up comes back in order, what was stopped stays down, and no old pid is signalled",
  ignore: !CAN_FAKE_BOOT,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(STACK);
    const clear = () =>
      Promise.all(
        ["up.db", "up.migrate"].map((name) =>
          Deno.remove(`${project.folder}/${name}`)
        ),
      );
    await boot(taskmux, "first");
    await project.ok(["start", "--wait"]);
    await project.ok(["stop", "stopped"]);
    const before = await project.status();
    const survivor = await project.pid("survivor");
    const startTime = startTimeOf(survivor);
    const last = (await project.events()).at(-1)!.seq;
    try {
      await cutPower(taskmux, [survivor]);
      await clear();
      await boot(taskmux, "second");
      await project.when("api", "healthy");
      const after = await project.status();
      const states = Object.fromEntries(
        after.tasks.map(({ name, state }) => [name, state]),
      );
      assert.deepEqual(states, {
        api: "healthy",
        db: "healthy",
        migrate: "completed",
        stopped: "stopped",
        never: "stopped",
        survivor: states["survivor"],
      });
      const anew = await project.when("survivor", ({ running }) => running);
      assert.notEqual(anew.pid, survivor);
      await assertOrder(project, last);
      const ports = await project.lines("ports");
      assert.equal(ports.length, 2);
      assert.equal(ports[0], ports[1], "the port is kept");
      assert.equal(
        after.tasks.find(({ name }) => name === "api")?.port,
        before.tasks.find(({ name }) => name === "api")?.port,
      );

      // It has the pid, the start time, the tag and the environment of a run of ours; only the boot is another one.
      await project.ok(["restart", "survivor"]);
      await project.ok(["stop"]);
      await taskmux.ok(["prune", "--apply"]);
      assert(lives(survivor));
      assert.equal(startTimeOf(survivor), startTime);
    } finally {
      killIfThere(survivor);
    }
    const kept = await project.task("stopped");
    assert.equal(kept.manual, true);
  },
});

Deno.test({
  name:
    "after a boot a task whose dependency fails says so, and the rest is up",
  ignore: !CAN_FAKE_BOOT,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(`
name = "broken"
[tasks.db]
command = "test -e broken && exit 1; exec sleep 1000"
health_check = "test ! -e broken"
restart_policy = "no"
[tasks.api]
command = "exec sleep 1000"
depends_on = ["db"]
[tasks.other]
command = "exec sleep 1000"
`);
    await boot(taskmux, "first");
    await project.ok(["start"]);
    await cutPower(taskmux, []);
    await project.file("broken", "");
    await boot(taskmux, "second");
    await project.when("other", "running");
    await project.when("db", "failed");
    const api = await project.when(
      "api",
      ({ running, state }) => !running && state !== "waiting",
    );
    assert.equal(api.pid, null);
    // A restart of the daemon is no boot: nothing is begun anew.
    const started = await project.events("db", "task_started");
    await taskmux.ok(["daemon", "stop"]);
    await boot(taskmux, "second");
    assert.equal((await project.task("other")).running, false);
    assert.equal(
      (await project.events("db", "task_started")).length,
      started.length,
    );
  },
});

// The new boot was noted before anything was brought back, so that the next daemon took what was missing for stopped.
Deno.test({
  name:
    "a daemon that is killed while it brings tasks back after a boot is finished by the next",
  ignore: !CAN_FAKE_BOOT,
  fn: async () => {
    await using taskmux = await testTaskmux();
    await boot(taskmux, "first");
    const projects = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        taskmux.project(
          `name = "p${n}"\n[tasks.web]\ncommand = "exec sleep 1000"\n`,
          `p${n}`,
        )),
    );
    for (const project of projects) await project.ok(["start"]);
    // As a machine that goes down in order does it: what was up is up again after the boot only.
    await taskmux.ok(["daemon", "stop"]);
    const { eventsMirror } = taskmux.home.paths;
    const starts = () =>
      Deno.readTextFileSync(eventsMirror).split('"task_started"').length - 1;
    const before = starts();
    const second = tryBoot(taskmux, "second");
    await until(() => starts() > before);
    const daemons = (await taskmux.processes()).filter(({ command }) =>
      command.includes("src/daemon/main.ts")
    );
    for (const { pid } of daemons) killIfThere(pid);
    await second;
    await boot(taskmux, "second");
    for (const project of projects) await project.when("web", "running");
  },
});
