/**
 * Files of the state folder are damaged while tasks run and no daemon looks: every one of them, in every way.
 *
 * The keeper lives on, so nothing that runs may be lost, whatever is left on disk.
 *
 * @module
 */

import assert from "node:assert/strict";
import { asideCopies, kindOf, MAX_ASIDE } from "../../../src/kit/set_aside.ts";
import { systemClock } from "../../../src/kit/clock.ts";
import { Store } from "../../../src/store/store.ts";
import { isRunning } from "../../support/process_state.ts";
import type { Status, TestProject } from "../../support/project.ts";
import { FAULTS, pictureOf } from "../../support/state_faults.ts";
import {
  type Json,
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** Longest time of a command that looks, on a loaded machine. */
const LOOK_LIMIT_MS = 15_000;

const STACK = `
name = "stack"
[tasks.web]
command = "exec sleep 1000"
host = "web"
health_check = "true"
[tasks.db]
command = "exec sleep 1000"
[tasks.stopped]
command = "exec sleep 1000"
`;

/** What runs before the damage. */
interface Before {
  readonly taskmux: Taskmux;
  readonly project: TestProject;
  readonly pids: Readonly<Record<string, number | null>>;
  readonly port: number | null;
}

/** A project of which everything runs but one task that was stopped by hand; then the daemon is killed. */
async function crashed(taskmux: Taskmux): Promise<Before> {
  const project = await taskmux.project(STACK);
  await project.ok(["start"]);
  await project.ok(["run", "adhoc", "--", "exec sleep 1000"]);
  await project.ok(["stop", "stopped"]);
  const { tasks } = await project.status();
  const pids = Object.fromEntries(tasks.map(({ name, pid }) => [name, pid]));
  await killDaemon(taskmux);
  const port = tasks.find(({ name }) => name === "web")?.port ?? null;
  return { taskmux, project, pids, port };
}

async function killDaemon(taskmux: Taskmux): Promise<void> {
  const pid = await taskmux.daemonPid();
  assert(pid !== null);
  killIfThere(pid);
  await until(async () => !await isRunning(pid));
}

/** Every file that the daemon writes. */
function stateFiles({ home: { paths } }: Taskmux): string[] {
  return [
    paths.registry,
    paths.registryLock,
    paths.database,
    `${paths.database}-wal`,
    `${paths.database}-shm`,
    paths.eventsMirror,
    paths.daemonLog,
    paths.daemonInfo,
    paths.daemonLock,
    paths.daemonSocket,
  ];
}

/** Asks everything that can be asked without a daemon. Nothing may be written, but for SQLite's shared memory. */
async function look({ taskmux, project }: Before): Promise<void> {
  const { home } = taskmux.home;
  const picture = (): Record<string, string> => {
    const { [`${home}/taskmux.db-shm`]: _, ...rest } = pictureOf(home);
    return rest;
  };
  const before = picture();
  const questions = [
    ["status"],
    ["events"],
    ["logs", "web"],
    ["inspect", "web"],
    ["daemon", "list"],
    ["doctor"],
  ];
  await Promise.all(questions.map(async (args) => {
    const startedAt = performance.now();
    const run = await project.run([...args, "--json"]);
    assert(performance.now() - startedAt < LOOK_LIMIT_MS, args.join(" "));
    const answer = run.json();
    if (answer["ok"] === true || args[0] === "doctor") return;
    assert.equal(answer["error_code"], "E900", run.stdout);
    assert.notEqual(answer["hint"], undefined, run.stdout);
    assert.doesNotMatch(run.stdout, /defect of taskmux/);
  }));
  assert.deepEqual(picture(), before);
}

/** Everything that ran runs on as the same process, and is known as before. */
async function requireAll(
  { taskmux, project, pids, port }: Before,
): Promise<Status> {
  const status = await project.status();
  const found = Object.fromEntries(
    status.tasks.map(({ name, pid }) => [name, pid]),
  );
  for (const [name, pid] of Object.entries(pids)) {
    if (pid === null) continue;
    assert.equal(found[name], pid, `${name} is the same process`);
    assert(await isRunning(pid), name);
  }
  const web = status.tasks.find(({ name }) => name === "web");
  assert.equal(web?.port, port);
  const { projects } = await taskmux.ok<{ projects: { session: string }[] }>([
    "daemon",
    "list",
  ]);
  assert.deepEqual(projects.map(({ session }) => session), ["stack"]);
  return status;
}

interface Damage {
  readonly file: string;
  readonly aside: string | null;
  readonly message: string;
}

/** The events about damaged files. */
async function damages(taskmux: Taskmux): Promise<Damage[]> {
  const { events } = await taskmux.call("event.list", {
    types: ["state_damaged"],
    limit: 0,
  });
  return events as unknown as Damage[];
}

for (const [name, fault] of Object.entries(FAULTS)) {
  Deno.test(`every file of the state is ${name}: tasks run on, and it is told`, async () => {
    await using taskmux = await testTaskmux();
    const before = await crashed(taskmux);
    for (const path of stateFiles(taskmux)) fault(path);
    await look(before);
    await taskmux.ok(["daemon", "start"]);
    const status = await requireAll(before);
    const told = await damages(taskmux);
    assert(told.length > 0);
    for (const { file, aside, message } of told) {
      assert(status.warnings.includes(`${file}: ${message}`), message);
      assert(aside === null || Deno.lstatSync(aside));
    }
    const files = told.map(({ file }) => file);
    assert.deepEqual([...new Set(files)], files, "one event for each file");
    if (!name.startsWith("cut")) {
      // What is cut off may be the very end of the log: then an earlier wish counts.
      const { tasks } = status;
      assert.equal(tasks.find((task) => task.name === "stopped")?.pid, null);
      assert.match(
        status.warnings.join("\n"),
        /^taskmux\.db: .*(?:restored from|keeper knew)/m,
      );
    }
    await before.project.ok(["stop", "db"]);
    await before.project.ok(["start", "db"]);
  });
}

// Whatever the daemon does with a file, it opens it: a pipe made it wait for ever, a folder made it end at once.
Deno.test("one damaged file is told, kept and replaced, and nothing else is touched", async () => {
  await using taskmux = await testTaskmux();
  const before = await crashed(taskmux);
  const { home: { paths } } = taskmux;
  for (
    const [path, fault] of [
      [paths.registry, "garbage"],
      [paths.database, "zeros"],
      [paths.eventsMirror, "garbage"],
      [paths.keeperLog, "a pipe"],
      [paths.keeperLock, "a folder"],
      [paths.daemonLock, "a link into nowhere"],
    ] as const
  ) {
    FAULTS[fault]!(path);
    await taskmux.ok(["daemon", "start"]);
    await requireAll(before);
    const [copy, ...more] = asideCopies(path);
    assert.notEqual(copy, undefined, `${path}: ${fault}`);
    assert.deepEqual(more, []);
    const all = [
      ...asideCopies(paths.registry),
      ...asideCopies(paths.database),
    ];
    const { checks } = await doctor(taskmux);
    const aside = checks.find(({ name }) => name === "set_aside");
    for (const name of all) assert(aside?.detail.includes(name), name);
    await killDaemon(taskmux);
  }
});

// Without the database nobody knew the runs any more: what was left of them was never ended.
Deno.test("database and keeper lost at once: leftovers are ended, and what was up comes back", async () => {
  await using taskmux = await testTaskmux();
  const { project, pids, port } = await crashed(taskmux);
  await taskmux.ok(["daemon", "start"]);
  const { keeper } = await taskmux.call("daemon.status", {});
  assert(keeper.pid !== null);
  await killDaemon(taskmux);
  killIfThere(keeper.pid);
  await until(async () => !await isRunning(keeper.pid!));
  FAULTS["garbage"]!(taskmux.home.paths.database);
  FAULTS["garbage"]!(taskmux.home.paths.registry);
  await taskmux.ok(["daemon", "start"]);
  const web = await project.when("web", (task) => task.running);
  assert.notEqual(web.pid, pids["web"]);
  assert.equal(web.port, port);
  await project.when("db", (task) => task.running);
  assert.equal((await project.task("stopped")).pid, null);
  for (const pid of Object.values(pids)) {
    if (pid !== null) assert(!await isRunning(pid), `${pid} is left`);
  }
});

Deno.test("a registry that is lost while the daemon runs comes back with all projects", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STACK);
  const other = await taskmux.project('name = "other"\n', "other");
  await project.ok(["start"]);
  await other.ok(["daemon", "register"]);
  const { registry } = taskmux.home.paths;
  const text = await Deno.readTextFile(registry);
  for (const damage of [() => Deno.removeSync(registry), FAULTS["garbage"]!]) {
    damage(registry);
    const { projects } = await taskmux.call("project.list", {});
    assert.deepEqual(projects.map(({ session }) => session), [
      "other",
      "stack",
    ]);
    assert.equal(await Deno.readTextFile(registry), text);
  }
  assert.equal((await damages(taskmux)).length, 2);
  const { warnings } = await project.status();
  assert.match(warnings.join("\n"), /^registry\.json: .*2 projects restored/m);
});

Deno.test("a database that is damaged under the daemon hangs and ends nothing", async () => {
  await using taskmux = await testTaskmux({ expectedErrors: /./ });
  const project = await taskmux.project(STACK);
  await project.ok(["start"]);
  const pids = [await project.pid("web"), await project.pid("db")];
  const { database } = taskmux.home.paths;
  for (const path of [database, `${database}-wal`, `${database}-shm`]) {
    FAULTS["garbage"]!(path);
  }
  for (const args of [["status"], ["stop", "stopped"], ["events"]]) {
    const answer = (await project.run([...args, "--json"])).json();
    if (answer["ok"] !== true) assert.equal(answer["error_code"], "E900");
  }
  for (const pid of pids) assert(await isRunning(pid));
  await killDaemon(taskmux);
  await taskmux.ok(["daemon", "start"]);
  assert.equal(await project.pid("web"), pids[0]);
  assert.equal(await project.pid("db"), pids[1]);
});

// The tidying of temporary folders cut every command off from the daemon, and every daemon from its tasks.
Deno.test("sockets that are removed under daemon and keeper come back", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(STACK);
  await project.ok(["start"]);
  const pid = await project.pid("web");
  const daemon = await taskmux.daemonPid();
  const { daemonSocket, keeperSocket } = taskmux.home.paths;
  for (const name of ["gone", "a folder", "empty"]) {
    for (const socket of [daemonSocket, keeperSocket]) FAULTS[name]!(socket);
    await until(async () => await taskmux.daemonPid() === daemon);
    await until(() => kindOf(keeperSocket) === "socket");
  }
  await killDaemon(taskmux);
  await taskmux.ok(["daemon", "start"]);
  assert.equal(await project.pid("web"), pid);
});

Deno.test("settings that cannot be read are named, kept and harm no task", async () => {
  await using taskmux = await testTaskmux({ expectedErrors: /config\.toml/ });
  const before = await crashed(taskmux);
  const { hostConfig } = taskmux.home.paths;
  const text = await Deno.readTextFile(hostConfig);
  for (const name of ["garbage", "zeros", "a folder", "a pipe", "huge"]) {
    FAULTS[name]!(hostConfig);
    const answer = (await before.project.run(["start", "--json"])).json();
    assert.match(String(answer["error_code"]), /^E10[01]$/, name);
    assert.match(String(answer["error"]), /config\.toml/, name);
    assert.deepEqual(asideCopies(hostConfig), [], "it is the user's");
    FAULTS["gone"]!(hostConfig);
  }
  await Deno.writeTextFile(hostConfig, text);
  await taskmux.ok(["daemon", "start"]);
  await requireAll(before);
});

Deno.test("copies of damaged files do not pile up", async () => {
  await using taskmux = await testTaskmux();
  const { home: { home, paths } } = taskmux;
  for (let n = 0; n < MAX_ASIDE + 2; n++) {
    FAULTS["garbage"]!(paths.database);
    Store.open(paths, { clock: systemClock }).close();
  }
  assert.equal(asideCopies(paths.database).length, MAX_ASIDE);
  const names = [...Deno.readDirSync(home)].map(({ name }) => name);
  assert.equal(
    names.filter((name) => name.startsWith("taskmux.db.")).length,
    MAX_ASIDE,
  );
});

Deno.test("state of a newer taskmux is refused by name, and not touched", async () => {
  await using taskmux = await testTaskmux({ expectedErrors: /newer taskmux/ });
  const before = await crashed(taskmux);
  await taskmux.ok(["daemon", "start"]);
  await taskmux.ok(["daemon", "stop"]);
  const { home: { paths } } = taskmux;
  const good = await Deno.readFile(paths.database);
  const newer = good.slice();
  // The version of the schema, at its place in the header of the file.
  new DataView(newer.buffer).setUint32(60, 99);
  const registry = await Deno.readTextFile(paths.registry);
  for (
    const [path, content, old] of [
      [paths.database, newer, good],
      [
        paths.registry,
        new TextEncoder().encode('{"version":99,"projects":[]}'),
        new TextEncoder().encode(registry),
      ],
    ] as const
  ) {
    await Deno.writeFile(path, content);
    for (const args of [["status"], ["daemon", "list"]]) {
      if (path === paths.database && args[0] === "daemon") continue;
      const answer = await before.project.fails("E601", args);
      assert.match(String(answer.hint), /Update taskmux/);
    }
    const { error } = await before.project.fails("E601", ["start"]);
    assert.match(error, /newer taskmux/);
    const { ok, checks } = await doctor(taskmux);
    assert.equal(ok, false);
    assert(
      checks.some(({ status, detail }) =>
        status === "fail" && detail.includes("newer")
      ),
    );
    assert.deepEqual(await Deno.readFile(path), content);
    assert.deepEqual(asideCopies(path), []);
    await Deno.writeFile(path, old);
  }
});

Deno.test("many commands that register at the same time lose no project", async () => {
  await using taskmux = await testTaskmux();
  const names = Array.from({ length: 8 }, (_, n) => `p${n}`);
  const projects = await Promise.all(
    names.map((name) => taskmux.project(`name = "${name}"\n`, name)),
  );
  await Promise.all(projects.map((each) => each.ok(["daemon", "register"])));
  const { projects: found } = await taskmux.call("project.list", {});
  assert.deepEqual(found.map(({ session }) => session), names);
});

interface Report extends Json {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
  }[];
}

async function doctor(taskmux: Taskmux): Promise<Report> {
  return (await taskmux.run(["doctor", "--json"])).json() as unknown as Report;
}
