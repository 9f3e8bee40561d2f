/**
 * One instance of a task for all worktrees of a repository.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ApiClient } from "../../src/client/api_client.ts";
import { LineReader } from "../support/line_reader.ts";
import { killDaemon } from "../support/crashes.ts";
import { isRunning } from "../support/process_state.ts";
import type { Action, Event, Task, TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";
import { git, testRepository } from "../support/worktrees.ts";

const SHOP = `name = "shop"
[tasks.prep]
command = "echo ready >> preps"
auto_start = false
[tasks.db]
command = "echo $DB_PASSWORD; echo db of $TASKMUX_PROJECT_ID; exec sleep 1000 # $PORT"
scope = "repo"
health_check = "true"
env = { DB_PASSWORD = "hunter2-of-the-shared-one" }
depends_on = { prep = "completed" }
[tasks.web]
command = "echo uses $TASKMUX_URL_DB; exec sleep 1000"
depends_on = ["db"]
`;

interface Logs {
  readonly lines: readonly string[];
}

async function lastLine(project: TestProject, task: string): Promise<string> {
  const { lines } = await project.ok<Logs>(["logs", task]);
  return lines.at(-1) ?? "";
}

Deno.test("a task with the scope repo runs once for all worktrees", async () => {
  await using taskmux = await testTaskmux();
  const repository = await testRepository(taskmux, SHOP);
  const { main } = repository;
  const [one, two] = [await repository.add("one"), await repository.add("two")];

  // The project of the primary checkout need not be known.
  const [first, second] = await Promise.all([
    one.ok<Action>(["start"]),
    two.ok<Action>(["start"]),
  ]);
  assert.equal(first.session, "shop-one");
  assert.equal(second.session, "shop-two");
  const db = await one.task("db");
  assert.equal(db.state, "healthy");
  assert.equal(db.scope, "repo");
  assert.equal(db.shared_from, "shop");
  for (const project of [main, two]) {
    const same = await project.task("db");
    assert.equal(same.pid, db.pid);
    assert.equal(same.port, db.port);
    assert.equal(same.url, db.url);
  }
  assert.equal((await main.task("db")).shared_from, null);
  // Of the primary checkout only what is shared was started, once.
  assert.equal((await main.task("web")).state, "stopped");
  assert.deepEqual(await main.lines("preps"), ["ready"]);
  assert.deepEqual(await one.lines("preps"), []);
  assert.match(await lastLine(one, "db"), /db of shop$/);
  assert.match(await lastLine(two, "web"), new RegExp(`uses ${db.url}$`));

  await checkStops(one, two, main);
  await checkRestarts(taskmux, one, two, main);
});

/** `stop` of everything leaves it to the others; by its name it stops. */
async function checkStops(
  one: TestProject,
  two: TestProject,
  main: TestProject,
): Promise<void> {
  const pid = await main.pid("db");
  const all = await one.ok<Action>(["stop"]);
  assert.deepEqual(all.tasks, ["web"]);
  assert.match(String(all.warnings), /"db" runs on: it is shared/);
  assert.equal(await main.pid("db"), pid);
  await one.fails("E300", ["stop"]);
  await one.ok(["start"]);
  assert.equal(await main.pid("db"), pid);

  const named = await one.ok<Action>(["stop", "db"]);
  assert.match(String(named.warnings), /still use "db": shop-two\/web$/);
  assert.equal(await isRunning(pid), false);
  assert.equal((await two.task("db")).state, "stopped");
  // As a dependency it comes back for everybody.
  await two.ok(["stop", "web"]);
  await two.ok(["start", "web"]);
  assert.equal((await one.task("db")).state, "healthy");
}

/** There is one of it after a restart of the daemon and after its violent end. */
async function checkRestarts(
  taskmux: Taskmux,
  one: TestProject,
  two: TestProject,
  main: TestProject,
): Promise<void> {
  const before = await main.pid("db");
  const restarted = await two.ok<Action>(["restart", "db"]);
  assert.notEqual(restarted["pid"], before);
  const pid = await main.pid("db");
  await one.ok(["daemon", "restart"]);
  for (const project of [one, two, main]) {
    assert.equal(await project.pid("db"), pid);
  }
  await killDaemon(taskmux);
  // Without a daemon it is told as well as with one.
  const offline = await one.ok<{ tasks: readonly Task[] }>(["status"]);
  const told = offline.tasks.find(({ name }) => name === "db");
  assert.equal(told?.pid, pid);
  assert.equal(told.shared_from, "shop");
  assert.match(await lastLine(one, "db"), /db of shop$/);
  const { events } = await one.ok<{ events: readonly Event[] }>(["events"]);
  assert(
    events.some(({ session, task }) => `${session}/${task}` === "shop/db"),
  );
  await two.ok(["start", "--if-stopped"]);
  for (const project of [one, two, main]) {
    assert.equal(await project.pid("db"), pid);
  }
  // A daemon that ends takes down who depends on it first.
  await taskmux.ok(["daemon", "stop"]);
  const stopped = await eventTasks(main, "task_stopped");
  assert.equal(stopped.at(-1), "shop/db");
  await one.ok(["start"]);
}

async function eventTasks(
  project: TestProject,
  type: string,
): Promise<string[]> {
  const { events } = await project.ok<{ events: readonly Event[] }>(
    ["events", "--type", type, "--all"],
  );
  return events.map(({ session, task }) => `${session}/${task}`);
}

Deno.test("a shared task belongs to the primary checkout", async () => {
  await using taskmux = await testTaskmux();
  const repository = await testRepository(taskmux, SHOP);
  const { main } = repository;
  const [one, two] = [await repository.add("one"), await repository.add("two")];
  await one.ok(["start"]);
  const db = await one.task("db");
  await two.ok(["start", "web"]);

  // Whoever has started it may go.
  await git(main.folder, "worktree", "remove", "-f", one.folder);
  await until(async () => {
    const { projects } = await taskmux.call("project.list", {});
    return !projects.some(({ session }) => session === "shop-one");
  });
  assert.equal(await two.pid("db"), db.pid);
  await checkLooks(taskmux, two, db);

  const stopped = await main.ok<Action>(["stop"]);
  assert.match(String(stopped.warnings), /still use "db": shop-two\/web$/);
  await until(async () => (await two.task("db")).state === "stopped");
  assert.equal((await two.task("web")).state, "running");
  await checkFailure(main, two);
  await checkAlone(main, two);
});

/** Every command that looks at one task shows the one. */
async function checkLooks(
  taskmux: Taskmux,
  two: TestProject,
  db: Task,
): Promise<void> {
  const inspected = await two.ok<Task>(["inspect", "db"]);
  assert.equal(inspected.pid, db.pid);
  assert.equal(inspected["scope"], "repo");
  assert.equal(inspected["shared_from"], "shop");
  assert.match(String(inspected["log_file"]), /\/shop\/logs\/db\.log$/);
  await two.ok(["why", "db"]);
  await two.ok(["wait", "db", "--for", "log:/db of shop/"]);
  const ensured = await two.ok(["ensure", "db"]);
  assert.equal(ensured["action"], "noop");
  assert.equal(ensured["url"], db.url);
  const { env } = await two.ok<{ env: Record<string, string> }>(["env"]);
  assert.equal(env["TASKMUX_URL_DB"], db.url);
  await checkEvents(taskmux, two);
  // Its secrets are not those of this worktree's file.
  const { lines } = await two.ok<Logs>(["logs", "db"]);
  assert.match(lines.join(), /\*\*\*/);
  assert.doesNotMatch(lines.join(), /hunter2/);
}

/** What befalls it is told in a worktree, once, however it is asked for. */
async function checkEvents(taskmux: Taskmux, two: TestProject): Promise<void> {
  const told = async (...args: string[]): Promise<string[]> => {
    const { events } = await two.ok<{ events: readonly Event[] }>(
      ["events", "-n", "all", ...args],
    );
    const seqs = new Set(events.map(({ seq }) => seq));
    assert.equal(seqs.size, events.length, "each once");
    return events.flatMap(({ session, task }) =>
      task === undefined ? [] : [`${session}/${task}`]
    );
  };
  assert.deepEqual(new Set(await told("--task", "db")), new Set(["shop/db"]));
  const all = new Set(["shop/db", "shop-two/web"]);
  assert.deepEqual(new Set(await told()), all, "not prep, which is not shared");
  assert.deepEqual(new Set(await told("--session", "shop-two")), all);
  assert.deepEqual(new Set(await told("--cursor", "0")), all);

  await using followed = new LineReader(
    two.spawn(["events", "-f", "--json", "--task", "db", "-n", "1"]),
  );
  await followed.atLeast(1);
  const { cursor } = await two.ok<{ cursor: string }>(["events", "-n", "1"]);
  await using client = new ApiClient({ home: taskmux.home.home });
  const live = client.events({ session: "shop-two", tasks: ["db"], cursor });
  const next = live.next();
  await two.ok(["status", "--caller", "ada"]);
  await two.ok(["restart", "db"]);
  const [before, after] = (await followed.atLeast(2))
    .map((line) => JSON.parse(line) as Event);
  assert.equal(`${after?.session}/${after?.task}`, "shop/db");
  assert(after!.seq > before!.seq);
  const { value: item } = await next;
  assert(item?.type === "event" && item.event.seq === after?.seq);
  // It was subscribed to by then.
  const again = live.next();
  await two.ok(["restart", "db"]);
  assert.equal((await again).value?.type, "event");
  const { value: last } = await live.next();
  assert(last?.type === "event" && last.event.session === "shop");
  const { recent_events: news } = await two.ok<
    { recent_events: readonly Event[] }
  >(["status", "--caller", "ada"]);
  assert.equal(news[0]?.seq, after?.seq);
}

/** What keeps it from starting keeps those who wait for it. */
async function checkFailure(
  main: TestProject,
  two: TestProject,
): Promise<void> {
  await two.ok(["stop"]);
  await main.replace(SHOP.replace("echo ready >> preps", "exit 3"));
  const answer = await two.run(["start", "--json"]);
  const { results } = answer.json() as unknown as Action;
  assert.deepEqual(
    results?.map(({ task, error_code }) => [task, error_code]).toSorted(),
    [["db", "E402"], ["web", "E402"]],
  );
  for (const task of ["web", "db"]) {
    const { chain } = await two.ok<{ chain: unknown[] }>(["why", task]);
    assert.match(JSON.stringify(chain), /prep.*code 3/);
  }
  await main.replace(SHOP);
}

/** Without a task to share it is the worktree's own, for as long as it runs. */
async function checkAlone(main: TestProject, two: TestProject): Promise<void> {
  await main.replace('name = "shop"\n[tasks.other]\ncommand = "true"\n');
  const { warnings } = await two.ok<Action>(["start"]);
  assert.match(String(warnings), /"db" is this worktree's alone: .* no such/);
  const alone = await two.task("db");
  assert.equal(alone.shared_from, null);
  assert.match(await lastLine(two, "db"), /db of shop-two$/);
  await main.replace(SHOP);
  await main.ok(["start", "db"]);
  assert.equal(await two.pid("db"), alone.pid);
  assert.notEqual(await main.pid("db"), alone.pid);
  await two.ok(["stop", "db"]);
  assert.equal(await two.pid("db"), await main.pid("db"));

  // The file is gone: it goes with it, and nobody holds on to it.
  await Deno.remove(main.config);
  await until(async () => (await two.task("db")).shared_from === null);
  const started = await two.ok<Action>(["start", "db"]);
  assert.match(String(started.warnings), /"db" is this worktree's alone/);
}
