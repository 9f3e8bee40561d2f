/**
 * What is none of ours outlives every command: whoever holds a port, talks to a task, looks like one, carries its
 * environment, has its terminal open or debugs it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { cliCommand } from "../../support/deno_flags.ts";
import { freePort } from "../../support/free_port.ts";
import { canRun } from "../../support/optional_tool.ts";
import { HAS_PROC, lives, procFiles } from "../../support/processes.ts";
import { program, type TestProject } from "../../support/project.ts";
import { environmentOf, Strangers } from "../../support/strangers.ts";
import {
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

function file(fixed: number): string {
  return `
name = "foreign"
[tasks.web]
command = "${program("http_server.ts")}"
host = "web"
[tasks.plain]
command = "exec sleep 100201"
[tasks.extra]
command = "exec sleep 100202"
[tasks.fixed]
command = "exec sleep 100203"
port = ${fixed}
auto_start = false
`;
}

/** Listens on a port of 127.0.0.1 for ever. */
function listening(port: number): [string, ...string[]] {
  return [
    "python3",
    "-uc",
    "import socket,time;s=socket.create_server(('127.0.0.1'," +
    `${port}));print('listening');time.sleep(9999)`,
  ];
}

/** Talks to a port of 127.0.0.1, and lives on when nobody answers any more. */
function connected(port: number): [string, ...string[]] {
  return [
    "bash",
    "-c",
    `exec 3<>/dev/tcp/127.0.0.1/${port}; echo connected; exec sleep 100304`,
  ];
}

async function keeperPid(taskmux: Taskmux): Promise<number> {
  const { keeper } = await taskmux.call("daemon.status", {});
  assert(keeper.pid !== null);
  return keeper.pid;
}

async function killDaemon(taskmux: Taskmux): Promise<void> {
  const pid = await taskmux.daemonPid();
  assert(pid !== null);
  killIfThere(pid);
  await until(() => !lives(pid));
}

/** Kills the keeper, and waits until another one has put the tasks right. */
async function killKeeper(
  taskmux: Taskmux,
  project: TestProject,
): Promise<void> {
  const before = await project.pid("plain");
  killIfThere(await keeperPid(taskmux));
  await project.when("plain", (task) => task.running && task.pid !== before);
}

/** Strangers that are made anew before each command: they concern the runs that live then. */
async function surround(
  strangers: Strangers,
  project: TestProject,
  ended: Readonly<Record<string, string>>,
): Promise<void> {
  const { pid, port } = await project.when("web", "healthy");
  assert(pid !== null && port !== null);
  const env = environmentOf(pid);
  assert.match(env["TASKMUX_RUN_ID"] ?? "", /^[0-9a-f]{12}$/);
  await strangers.add("with the environment of a live run", [
    "sleep",
    "100301",
  ], { env });
  await strangers.addOrphan("with that, and no parent", [
    "sleep",
    "100302",
  ], { env });
  await strangers.add("with the environment of an ended run", [
    "sleep",
    "100303",
  ], { env: ended });
  await strangers.add("with the run id of another home", [
    "sleep",
    "100304",
  ], { env: { ...env, TASKMUX_RUN_ID: "0123456789ab", TASKMUX_HOME: "/x" } });
  await strangers.add("that looks like the task", ["sleep", "100201"]);
  await strangers.add("that talks to the task", connected(port), {
    speaks: true,
  });
}

function terminalOf(pid: number): string {
  const path = procFiles().link(`/proc/${pid}/fd/0`);
  assert.match(path ?? "", /^\/dev\/pts\/\d+$/);
  return path ?? "";
}

/** What is in the way of the tasks, and since when. */
interface InTheWay {
  readonly text: string;
  /** The port that `web` had, and the pid of who has it now. */
  readonly first: number;
  readonly inTheWay: number;
  readonly fixed: number;
  readonly onFixed: number;
}

/** Every command that starts or ends something, and every crash. Each leaves what the next one needs, or is followed by a start. */
function commandsOf(
  taskmux: Taskmux,
  project: TestProject,
  { text, first, inTheWay, fixed, onFixed }: InTheWay,
): Record<string, () => Promise<unknown>> {
  const apply = () => taskmux.ok(["prune", "--apply"]);
  return {
    start: async () => {
      await project.ok(["start"]);
      assert.notEqual((await project.task("web")).port, first);
      const [moved] = await project.events("web", "port_changed");
      assert.deepEqual(
        (moved?.["holder"] as { readonly pid: number } | null)?.pid,
        inTheWay,
      );
    },
    "start with a fixed port": async () => {
      const refused = await project.fails("E214", ["start", "fixed"]);
      assert.match(refused.error, new RegExp(`python3.*pid ${onFixed}\\b`));
      assert.match(refused.hint ?? "", new RegExp(`taskmux who ${fixed}\\b`));
    },
    stop: () => project.ok(["stop"]),
    restart: () => project.ok(["restart"]),
    "restart of one": () => project.ok(["restart", "web"]),
    kill: () => project.ok(["kill", "web"]),
    reload: async () => {
      await project.replace(text.replace("100202", "100209"));
      await project.when("extra", (task) => task.config_changed);
      await project.ok(["restart", "extra"]);
    },
    remove: () => project.ok(["remove", "extra"]),
    "daemon restart": () => taskmux.ok(["daemon", "restart"]),
    "kill -9 of the daemon": async () => {
      await killDaemon(taskmux);
      await taskmux.ok(["daemon", "start"]);
    },
    "kill -9 of the keeper": () => killKeeper(taskmux, project),
    "kill -9 of both": async () => {
      const keeper = await keeperPid(taskmux);
      await killDaemon(taskmux);
      killIfThere(keeper);
      await until(() => !lives(keeper));
      await taskmux.ok(["daemon", "start"]);
    },
    prune: () => taskmux.ok(["prune"]),
    "prune --apply": apply,
    "daemon stop": () => taskmux.ok(["daemon", "stop"]),
    unregister: () => taskmux.ok(["daemon", "unregister", "foreign"]),
    "prune --apply after that": apply,
    clean: () => project.ok(["clean", "--all", "--force", "--yes"]),
  };
}

Deno.test({
  name: "no command hurts who is none of ours",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const fixed = freePort();
    const text = file(fixed);
    const project = await taskmux.project(text);
    await project.ok(["start"]);
    const { port: first } = await project.when("web", "healthy");
    assert(first !== null);
    const ended = environmentOf(await project.pid("web"));
    await project.ok(["stop"]);
    await using strangers = new Strangers();
    const inTheWay = await strangers.add("on the port", listening(first), {
      speaks: true,
    });
    const onFixed = await strangers.add("on the fixed port", listening(fixed), {
      speaks: true,
    });
    const commands = commandsOf(taskmux, project, {
      text,
      first,
      inTheWay,
      fixed,
      onFixed,
    });
    for (const [name, command] of Object.entries(commands)) {
      if (name !== "start") {
        await project.run(["start", "--if-stopped"]);
        await surround(strangers, project, ended);
      }
      await command();
      strangers.assertUnhurt(`after ${name}`);
    }
    await taskmux.ok(["daemon", "start"]);
    await taskmux.ok(["daemon", "stop"]);
    strangers.assertUnhurt("after the last daemon stop");
  },
});

/** Attaches to a process, as debuggers do, and answers its signals or, if `isStuck`, never again. */
function debugging(pid: number, isStuck: boolean): [string, ...string[]] {
  const serve = isStuck ? "time.sleep(9999)" : `
while True:
  try: p, s = os.waitpid(${pid}, 0x40000000)
  except ChildProcessError: time.sleep(9999)
  if os.WIFSTOPPED(s):
    e = s >> 16
    libc.ptrace(7, p, 0, 0 if e else os.WSTOPSIG(s))`;
  return [
    "python3",
    "-uc",
    `
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(0x4206, ${pid}, 0, 0) != 0:
  raise SystemExit("cannot attach: " + os.strerror(ctypes.get_errno()))
print("attached", flush=True)
${serve}`,
  ];
}

const ONE = `
name = "one"
[tasks.web]
command = "echo up; exec sleep 100401"
ready_log = "up"
stop_grace_period = 0.1
`;

Deno.test({
  name: "who has the terminal of a task open lives, and holds up no end",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(ONE);
    await using strangers = new Strangers();
    await project.ok(["start"]);
    for (const command of ["restart", "stop"]) {
      const pid = await project.pid("web");
      const terminal = terminalOf(pid);
      await strangers.add("with the terminal open", [
        "sh",
        "-c",
        `exec 3<>${terminal}; echo open; exec sleep 100403`,
      ], { speaks: true });
      await project.ok([command, "web"]);
      assert(!lives(pid));
      strangers.assertUnhurt(command);
    }
    assert.deepEqual(await project.log("web"), ["up", "up"]);
  },
});

Deno.test({
  name: "a debugger lives on when the task that it is attached to ends",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(ONE);
    await using strangers = new Strangers();
    for (const isStuck of [false, true]) {
      for (const command of isStuck ? ["stop", "kill"] : ["restart", "kill"]) {
        await project.ok(["start", "--if-stopped"]);
        const pid = await project.pid("web");
        await strangers.add("that debugs", debugging(pid, isStuck), {
          speaks: true,
        });
        // A debugger that hangs keeps the dead process from being reaped: the task was "stopping" for ever.
        await project.ok([command, "web"]);
        assert(!lives(pid));
        strangers.assertUnhurt(`${command}, stuck: ${isStuck}`);
      }
    }
  },
});

// It ran for ever as far as anybody was told, because the kernel tells the debugger first.
Deno.test({
  name:
    "the end of a task is told although a debugger that hangs holds on to it",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(`
name = "held"
[tasks.web]
command = "mkfifo go; echo up; read line < go; exit 3"
ready_log = "up"
restart_policy = "no"
[tasks.other]
command = "exec sleep 100402"
stop_grace_period = 0.1
`);
    await project.ok(["start", "--wait"]);
    await using strangers = new Strangers();
    const pid = await project.pid("web");
    await strangers.add("that debugs and hangs", debugging(pid, true), {
      speaks: true,
    });
    await project.file("go", "");
    await until(() => !lives(pid));
    // The keeper looks around when a child ends, or after a while.
    await until(async () => {
      await project.ok(["restart", "other"]);
      return (await project.task("web")).state === "failed";
    });
    assert.equal((await project.task("web")).exit_code, 3);
    strangers.assertUnhurt("the end");
  },
});

/** Without the right to raise it again, a limit of 0 leaves the keeper no number to mark its runs with. */
const UNTAGGED = [
  "setpriv",
  "--bounding-set=-sys_resource",
  "prlimit",
  "--locks=0:0",
] as const;

const CAN_UNTAG = HAS_PROC &&
  canRun("a keeper without run tags", [...UNTAGGED, "true"]);

Deno.test({
  name:
    "where the kernel marks no run, a copied environment still hurts nobody",
  ignore: !CAN_UNTAG,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(`
name = "untagged"
[tasks.plain]
command = '''
setsid sh -c "trap '' HUP INT; echo up; while :; do sleep 0.1; done" &
wait'''
ready_log = "up"
stop_grace_period = 0.1
`);
    const { program, args } = cliCommand(taskmux.home.paths, [
      "daemon",
      "start",
    ]);
    const [first, ...words] = [...UNTAGGED, program, ...args] as const;
    const { success } = await new Deno.Command(first, {
      args: words,
      env: { ...taskmux.home.env },
      clearEnv: true,
    }).output();
    assert(success);
    const log = await Deno.readTextFile(taskmux.home.paths.keeperLog);
    assert.match(log, /run tags: false/);
    await using strangers = new Strangers();
    const commands: Record<string, () => Promise<unknown>> = {
      restart: () => project.ok(["restart"]),
      kill: () => project.ok(["kill", "plain"]),
      stop: () => project.ok(["stop"]),
      "kill -9 of the keeper": () => killKeeper(taskmux, project),
    };
    for (const [name, command] of Object.entries(commands)) {
      await project.ok(["start", "--if-stopped", "--wait"]);
      const env = environmentOf(await project.pid("plain"));
      const { pids } = await project.ok<{ pids: number[] }>([
        "inspect",
        "plain",
      ]);
      assert(pids.length >= 2);
      await strangers.add("with the environment", ["sleep", "100501"], { env });
      if (!name.startsWith("kill -9")) {
        // After the death of a keeper nothing tells an orphan from this one.
        await strangers.addOrphan("without a parent", ["sleep", "100502"], {
          env,
        });
      }
      await command();
      strangers.assertUnhurt(`after ${name}`);
      for (const pid of pids) assert(!lives(pid), `${pid} after ${name}`);
    }
  },
});
