/**
 * Several taskmuxes on one machine: side by side, of another user, and one inside a task of another.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../src/contract/mod.ts";
import { cliCommand } from "../../support/deno_flags.ts";
import { freePort } from "../../support/free_port.ts";
import { HAS_PROC, lives } from "../../support/processes.ts";
import { canRun } from "../../support/optional_tool.ts";
import { program, type TestProject } from "../../support/project.ts";
import {
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { tempHome } from "../../support/temp_home.ts";
import { until } from "../../support/until.ts";

type Who = Result<"port.who">;

function shop(fixed: number): string {
  return `
name = "shop"
[tasks.web]
command = "${program("http_server.ts")}"
host = "web"
[tasks.plain]
command = "exec sleep 100601"
[tasks.fixed]
command = "${program("http_server.ts")}"
port = ${fixed}
auto_start = false
`;
}

async function parts(
  taskmux: Taskmux,
): Promise<{ readonly daemon: number; readonly keeper: number }> {
  const { pid, keeper } = await taskmux.call("daemon.status", {});
  assert(pid !== null && keeper.pid !== null);
  return { daemon: pid, keeper: keeper.pid };
}

async function pids(project: TestProject): Promise<(number | null)[]> {
  const { tasks } = await project.status();
  return tasks.map(({ pid }) => pid);
}

async function loseKeeper(
  taskmux: Taskmux,
  project: TestProject,
): Promise<void> {
  const before = await project.pid("plain");
  killIfThere((await parts(taskmux)).keeper);
  await project.when("plain", (task) => task.running && task.pid !== before);
}

Deno.test({
  name: "two taskmuxes of one user leave each other's tasks and ports alone",
  ignore: !HAS_PROC,
  fn: async () => {
    await using mine = await testTaskmux();
    await using other = await testTaskmux();
    const fixed = freePort();
    const project = await mine.project(shop(fixed));
    const neighbour = await other.project(shop(fixed));
    await neighbour.ok(["start", "--wait"]);
    await neighbour.ok(["start", "fixed", "--wait"]);
    const living = await pids(neighbour);
    const { port: theirs } = await neighbour.task("web");

    const refused = await project.fails("E214", ["start", "fixed"]);
    const holder = refused.details?.["holder"] as { readonly pid: number };
    assert(living.includes(holder.pid), "E214 names it");
    const who = await mine.ok<Who>(["who", String(fixed)]);
    assert.deepEqual(who.holders?.map(({ pid, ours }) => ({ pid, ours })), [
      { pid: holder.pid, ours: false },
    ]);
    const commands: Record<string, () => Promise<unknown>> = {
      start: () => project.ok(["start", "--wait"]),
      restart: () => project.ok(["restart"]),
      kill: () => project.ok(["kill", "plain"]),
      "kill -9 of the keeper": async () => {
        await project.ok(["start", "--if-stopped"]);
        await loseKeeper(mine, project);
      },
      prune: () => mine.ok(["prune", "--apply"]),
      clean: () => project.ok(["clean", "--all", "--force", "--yes"]),
      stop: async () => {
        await mine.ok(["daemon", "start"]);
        await mine.ok(["daemon", "stop"]);
      },
    };
    for (const [name, command] of Object.entries(commands)) {
      await command();
      assert.deepEqual(await pids(neighbour), living, `after ${name}`);
      if (name !== "start") continue;
      // The same names ask for the same port; who came first has it.
      assert.notEqual((await project.task("web")).port, theirs);
    }
  },
});

const NOBODY = 65_534;

/** Nobody may read the tests' files, so a capability lets it; that to signal others it has not. */
const AS_NOBODY = [
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  "--clear-groups",
  "--inh-caps=+dac_override",
  "--ambient-caps=+dac_override",
  // Else Deno, which asks by access(), is told that it may not.
  "--securebits=+no_setuid_fixup",
];

const CAN_BE_NOBODY = Deno.build.os === "linux" &&
  canRun("the taskmux of another user", ["setpriv", ...AS_NOBODY, "true"]);

Deno.test({
  name:
    "the taskmux of another user sees that a port is held, and touches nobody",
  ignore: !CAN_BE_NOBODY,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const fixed = freePort();
    const project = await taskmux.project(shop(fixed));
    await project.ok(["start", "--wait"]);
    await project.ok(["start", "fixed", "--wait"]);
    const living = await pids(project);

    await using home = await tempHome();
    await Deno.mkdir(home.home, { mode: 0o700 });
    await Deno.writeTextFile(home.paths.hostConfig, "api_port = 0\n");
    await Deno.writeTextFile(`${home.work}/taskmux.toml`, shop(fixed));
    for (const path of [home.root, home.home, home.work]) {
      await Deno.chown(path, NOBODY, NOBODY);
    }
    const run = async (...args: string[]) => {
      const command = cliCommand(home.paths, ["--json", ...args]);
      const { stdout, stderr } = await new Deno.Command("setpriv", {
        args: [...AS_NOBODY, command.program, ...command.args],
        cwd: home.work,
        env: { ...home.env },
        clearEnv: true,
      }).output();
      const said = new TextDecoder().decode(stdout);
      assert.notEqual(said, "", new TextDecoder().decode(stderr));
      return JSON.parse(said);
    };
    try {
      const started = await run("start");
      assert.equal(started.ok, true, JSON.stringify(started));
      const taken = await run("start", "fixed");
      assert.equal(taken.error_code, "E214");
      assert.match(taken.error, /held by another program/);
      const who: Who = await run("who", String(fixed));
      assert.equal(who.listening, true);
      assert.deepEqual(
        who.holders?.map(({ pid, uid, ours, addresses }) => ({
          pid,
          uid,
          ours,
          addresses,
        })),
        [{ pid: null, uid: 0, ours: false, addresses: ["127.0.0.1"] }],
      );
      for (
        const args of [["restart"], ["kill", "plain"], ["prune", "--apply"], [
          "daemon",
          "restart",
        ], ["stop"]]
      ) {
        assert.equal((await run(...args)).ok, true, args.join(" "));
        assert.deepEqual(await pids(project), living, args.join(" "));
      }
      await taskmux.ok(["prune", "--apply"]);
    } finally {
      await run("daemon", "stop");
    }
    assert.deepEqual(await pids(project), living);
  },
});

/** A taskmux whose daemon is started by a task of another one. */
interface Nested extends AsyncDisposable {
  readonly inner: Taskmux;
  readonly outer: Taskmux;
  readonly project: TestProject;
  /** What must end with the task: inner daemon, inner keeper, inner tasks. */
  readonly inside: readonly number[];
  readonly innerParts: { readonly daemon: number; readonly keeper: number };
  readonly sibling: number;
}

async function nested(): Promise<Nested> {
  await using stack = new AsyncDisposableStack();
  const outer = stack.use(await testTaskmux());
  const inner = stack.use(
    // Its parts are ended as anything else in the task is, in no order.
    await testTaskmux({ expectedErrors: /keeper/ }),
  );
  const deep = await inner.project(`
name = "deep"
[tasks.plain]
command = "exec sleep 100602"
stop_grace_period = 0.1
[tasks.stubborn]
command = '''
setsid sh -c "trap '' HUP INT; echo up; while :; do sleep 0.2; done" &
wait'''
ready_log = "up"
stop_grace_period = 0.1
`);
  const { program, args } = cliCommand(inner.home.paths, ["start", "--wait"]);
  const line = [program, ...args].map((word) => `'${word}'`).join(" ");
  const project = await outer.project(`
name = "outer"
[tasks.session]
command = """
cd '${deep.folder}' && TASKMUX_HOME='${inner.home.home}' ${line} && echo inside
exec sleep 100603"""
ready_log = "inside"
stop_grace_period = 0.5
restart_policy = "no"
[tasks.sibling]
command = "exec sleep 100604"
`);
  await project.ok(["start", "--wait"]);
  const innerParts = await parts(inner);
  const all = (await inner.processes()).map(({ pid }) => pid);
  assert(all.includes(innerParts.keeper) && all.length >= 5, all.join(" "));
  const owned = stack.move();
  return {
    inner,
    outer,
    project,
    inside: all,
    innerParts,
    sibling: await project.pid("sibling"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function assertEnded(world: Nested, how: string): Promise<void> {
  const left = world.inside.filter(lives);
  assert.deepEqual(left, [], `inside of the task after ${how}`);
  assert.deepEqual(await world.inner.processes(), []);
}

Deno.test({
  name:
    "a taskmux inside a task ends with that task, and its neighbour does not",
  ignore: !HAS_PROC,
  fn: async () => {
    for (const command of ["stop", "kill"]) {
      await using world = await nested();
      await world.project.ok([command, "session"]);
      await assertEnded(world, command);
      assert.equal(await world.project.pid("sibling"), world.sibling);
    }
  },
});

Deno.test({
  name: "a taskmux inside a task ends its own tasks only",
  ignore: !HAS_PROC,
  fn: async () => {
    await using world = await nested();
    const session = await world.project.pid("session");
    await world.inner.ok(["prune", "--apply"]);
    await world.inner.ok(["daemon", "stop"]);
    assert.equal(await world.project.pid("session"), session);
    assert.equal(await world.project.pid("sibling"), world.sibling);
    await world.project.ok(["stop"]);
  },
});

// The inner keeper took the tag of the outer run off, and what lost both its keepers was nobody's.
Deno.test({
  name: "a taskmux inside a task ends with it whatever crashed before",
  ignore: !HAS_PROC,
  fn: async () => {
    {
      await using world = await nested();
      killIfThere(world.innerParts.daemon);
      await until(() => !lives(world.innerParts.daemon));
      await loseOuterKeeper(world);
      await assertEnded(world, "the loss of the inner daemon, then the keeper");
    }
    await using world = await nested();
    // A look at the processes, as the keeper takes one every ten seconds.
    await world.project.ok(["inspect", "session"]);
    killIfThere(world.innerParts.daemon);
    killIfThere(world.innerParts.keeper);
    await until(() => !lives(world.innerParts.keeper));
    await world.project.ok(["stop", "session"]);
    await assertEnded(world, "the loss of both inner ones, then a stop");
  },
});

async function loseOuterKeeper({ outer, project }: Nested): Promise<void> {
  const { keeper } = await parts(outer);
  killIfThere(keeper);
  await project.when("session", "failed");
}

Deno.test({
  name: "a daemon that was restarted from within a task outlives that task",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const { program, args } = cliCommand(taskmux.home.paths, [
      "daemon",
      "restart",
    ]);
    const line = [program, ...args].map((word) => `'${word}'`).join(" ");
    const project = await taskmux.project(`
name = "self"
[tasks.plain]
command = "exec sleep 100605"
[tasks.agent]
command = """
${line} && echo restarted
exec sleep 100606"""
ready_log = "restarted"
auto_start = false
`);
    await project.ok(["start"]);
    const [plain] = await pids(project);
    const { daemon } = await parts(taskmux);
    const start = project.run(["start", "agent"]);
    await until(async () => {
      const pid = await taskmux.daemonPid();
      return pid !== null && pid !== daemon;
    });
    await start;
    await project.when("agent", (task) => task.healthy);
    const again = await parts(taskmux);
    await project.ok(["stop", "agent"]);
    assert.deepEqual(await parts(taskmux), again);
    assert.equal(await project.pid("plain"), plain);
  },
});
