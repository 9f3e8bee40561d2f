/**
 * Files of the state folder are damaged while tasks run and no daemon looks: every one of them, in every way.
 *
 * The keeper lives on, so nothing that runs may be lost, whatever is left on disk.
 *
 * @module
 */

import assert from "node:assert/strict";
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
async function look({ taskmux, project }: Before): Promise<Json[]> {
  const { home } = taskmux.home;
  const picture = (): Record<string, string> => {
    const { [`${home}/taskmux.db-shm`]: _, ...rest } = pictureOf(home);
    return rest;
  };
  const before = picture();
  const answers: Json[] = [];
  for (
    const args of [
      ["status"],
      ["events"],
      ["logs", "web"],
      ["inspect", "web"],
      ["daemon", "status"],
      ["daemon", "list"],
    ]
  ) {
    const startedAt = performance.now();
    const run = await project.run([...args, "--json"]);
    assert(performance.now() - startedAt < LOOK_LIMIT_MS, args.join(" "));
    const answer = run.json();
    if (answer["ok"] !== true && args[0] !== "doctor") {
      assert.equal(answer["error_code"], "E900", run.stdout);
      assert.notEqual(answer["hint"], undefined, run.stdout);
      assert.doesNotMatch(run.stdout, /defect of taskmux/);
    }
    answers.push(answer);
  }
  assert.deepEqual(picture(), before);
  return answers;
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
    await taskmux.ok(["daemon", "restart"]);
    const { tasks } = await before.project.status();
    assert.equal(
      tasks.find((task) => task.name === "web")?.pid,
      before.pids["web"],
    );
  });
}
