/**
 * Answers without a daemon, from state that a daemon left behind. The state is written by the real store and registry.
 */

import assert from "node:assert/strict";
import { loadProject } from "../../../src/config/project_config.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { readDaemonStatus, readProjects } from "../../../src/offline/daemon.ts";
import { readEvents } from "../../../src/offline/events.ts";
import {
  followLogFiles,
  lineOf,
  recordsOf,
  streamLogFiles,
} from "../../../src/offline/logs.ts";
import { stopNothing } from "../../../src/offline/nothing_runs.ts";
import { readAddress } from "../../../src/offline/address.ts";
import { readEnvironment } from "../../../src/offline/project.ts";
import type { Disk } from "../../../src/offline/project_files.ts";
import {
  readHealth,
  readInspect,
  readStatus,
} from "../../../src/offline/status.ts";
import { noteBinding } from "../../../src/store/binding_note.ts";
import { Registry } from "../../../src/store/registry.ts";
import { Store } from "../../../src/store/store.ts";
import { NOW_MS, stillClock } from "../../support/store_folder.ts";
import { type TempHome, tempHome } from "../../support/temp_home.ts";

const PROJECT = `name = "shop"
[tasks.api]
command = "serve"
port = 4100
[tasks.web]
command = "vite"
host = "web"
log_file = "logs/web.log"
`;

/** A project that a daemon once ran. */
interface Past extends AsyncDisposable {
  readonly home: TempHome;
  readonly disk: Disk;
  readonly config: string;
}

async function past(): Promise<Past> {
  const home = await tempHome();
  await Deno.mkdir(home.paths.runDir, { recursive: true });
  const config = `${home.work}/taskmux.toml`;
  await Deno.writeTextFile(config, PROJECT);
  await new Registry(home.paths, { clock: stillClock }).register({
    id: "shop-fix",
    configPath: config,
    name: "shop",
    worktreeId: "fix",
  });
  await remember(home, config);
  return {
    home,
    config,
    disk: { paths: home.paths, env: () => ({ ...home.env }) },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

/** Two runs of `api`, one of `web` whose end nobody saw, one ad-hoc task, a port, some events. */
async function remember(home: TempHome, config: string): Promise<void> {
  using store = Store.open(home.paths, { clock: stillClock });
  const session = "shop-fix";
  const run = (runId: string, task: string, pid: number): void =>
    store.runs.start({
      runId,
      session,
      task,
      pid,
      startTime: "1",
      startedAt: NOW_MS,
      port: null,
      bootId: "boot",
      command: "x",
      digest: "d",
    });
  run("aaa", "api", 11);
  const ending = { code: 0, signal: null, at: NOW_MS + 1, reason: "exited" };
  store.runs.end("aaa", ending);
  run("bbb", "api", 12);
  store.runs.end("bbb", {
    ...ending,
    code: null,
    signal: "SIGKILL",
  });
  run("ccc", "web", 13);
  store.leases.lease(session, "web", 4200);
  const spec = (await loadProject(config)).tasks.get("api");
  const wish = { desired: "up", manual: false, changedAt: NOW_MS } as const;
  const failure = { ok: false, error_code: "E403", error: "Gave up" };
  store.tasks.setDesired(session, "api", {
    ...wish,
    adhoc: null,
    state: JSON.stringify({ outcome: "failed", restarts: 5, error: failure }),
  });
  store.tasks.setDesired(session, "seed", {
    ...wish,
    adhoc: JSON.stringify({ ...spec, name: "seed", command: "run seed" }),
    state: JSON.stringify({ outcome: "completed", restarts: 0, error: null }),
  });
  store.tasks.setDesired(session, "odd", {
    ...wish,
    adhoc: '{"of":"another version"}',
    state: "of another version",
  });
  for (const task of ["api", "web"]) {
    store.events.append({
      event: "task_started",
      session,
      task,
      at: NOW_MS,
    });
  }
  store.events.append({ event: "daemon_started", session: null, at: NOW_MS });
}

async function refusal(work: Promise<unknown>): Promise<TaskmuxError> {
  try {
    await work;
  } catch (error) {
    assert(error instanceof TaskmuxError, String(error));
    return error;
  }
  assert.fail("it did not fail");
}

Deno.test("readStatus() tells tasks, ad-hoc ones too, as the store remembers them", async () => {
  await using project = await past();
  const status = await readStatus(project.disk, project.config);
  assert.equal(status.project_id, "shop-fix");
  assert.equal(status.running, false);
  assert.deepEqual(status.warnings, []);
  const [api] = status.tasks;
  assert.deepEqual([api?.restart_count, api?.reason], [5, "Gave up"]);
  assert.deepEqual(
    status.tasks.map(({ name, state, exit_code, port, url, events }) => ({
      name,
      state,
      exit_code,
      port,
      url,
      events,
    })),
    [{
      name: "api",
      state: "failed",
      exit_code: -9,
      port: 4100,
      url: null,
      events: { task_started: 1 },
    }, {
      name: "web",
      state: "stopped",
      exit_code: null,
      port: 4200,
      url: null,
      events: { task_started: 1 },
    }, {
      name: "seed",
      state: "completed",
      exit_code: null,
      port: 4100,
      url: null,
      events: {},
    }],
  );
});

Deno.test("readStatus() warns while a keeper that says nothing may hold tasks, and names the pid it saw last", async () => {
  await using project = await past();
  const { paths } = project.home;
  using lock = await Deno.open(paths.keeperLock, { create: true, write: true });
  assert(await lock.tryLock(true));
  using _listener = Deno.listen({
    transport: "unix",
    path: paths.keeperSocket,
  });
  const status = await readStatus(project.disk, project.config);
  assert.match(status.warnings.join(), /may still be running/);
  const reasons = status.tasks.map((task) => task.reason);
  assert.deepEqual(reasons, [
    "Gave up",
    "may still run as pid 13, but the daemon is not running",
    null,
  ]);
  const daemon = await readDaemonStatus(paths, {});
  assert.match(daemon.warnings.join(), /may still be running/);
});

Deno.test("readInspect() tells the history of runs, newest first", async () => {
  await using project = await past();
  const { disk, config } = project;
  const detail = await readInspect(disk, config, "api");
  const runs = detail["runs"] as { run_id: string; exit_code: number }[];
  assert.deepEqual(
    runs.map(({ run_id, exit_code }) => [run_id, exit_code]),
    [["bbb", -9], ["aaa", 0]],
  );
  assert.equal(detail["ad_hoc"], false);
  const seed = await readInspect(disk, config, "seed");
  assert.equal(seed["ad_hoc"], true);
  const web = await readInspect(disk, config, "web");
  assert.equal(web["log_file"], `${project.home.work}/logs/web.log`);
  const { code, hint } = await refusal(readInspect(disk, config, "apo"));
  assert.deepEqual([code, hint], ["E200", 'did you mean "api"?']);
});

Deno.test("readHealth() says of nothing that it is healthy", async () => {
  await using project = await past();
  const { disk, config } = project;
  const all = await readHealth(disk, config, []);
  // What has completed is neither healthy nor unhealthy.
  assert.deepEqual(
    [all.healthy_count, all.total_count, all.completed_count],
    [0, 2, 1],
  );
  const one = await readHealth(disk, config, ["web"]);
  assert.deepEqual(one.tasks.map(({ name, healthy }) => [name, healthy]), [
    ["web", false],
  ]);
  assert.equal((await refusal(readHealth(disk, config, ["x"]))).code, "E200");
});

Deno.test("readEvents() filters as the daemon does", async () => {
  await using project = await past();
  const { disk, config } = project;
  const list = async (
    params: Parameters<typeof readEvents>[1],
  ): Promise<number[]> =>
    (await readEvents(disk, params)).events.map(({ seq }) => seq);
  assert.deepEqual(await list({}), [1, 2, 3]);
  assert.deepEqual(await list({ scope: { config } }), [1, 2, 3]);
  assert.deepEqual(await list({ scope: { session: "other" } }), [3]);
  assert.deepEqual(await list({ tasks: ["web"] }), [2]);
  assert.deepEqual(await list({ types: ["daemon_started"] }), [3]);
  assert.deepEqual(await list({ limit: 1 }), [3]);
  assert.deepEqual(await list({ cursor: "2" }), [3]);
  assert.deepEqual(await list({ since: "2030-01-01" }), []);
  assert.deepEqual(await list({ until: "2020-01-01" }), []);
  assert.deepEqual(await list({ cursor: "0", limit: 2 }), [1, 2]);
  const wrong = [{ since: "soon" }, { cursor: "x" }, { types: ["task_exit"] }];
  for (const params of wrong) {
    assert.equal((await refusal(readEvents(disk, params))).code, "E500");
  }
});

const LOG_QUERY = {
  tasks: [],
  lines: 100,
  grep: null,
  context: 0,
  since: null,
  until: null,
};

Deno.test("streamLogFiles() reads the file that a task names, and keeps colours apart", async () => {
  await using project = await past();
  const { disk, config, home } = project;
  await Deno.mkdir(`${home.work}/logs`);
  const line = "2026-11-20T10:00:00.000 \x1b[32mready\x1b[0m";
  await Deno.writeTextFile(`${home.work}/logs/web.log`, `${line}\n`);
  const params = { ...LOG_QUERY, config, tasks: ["web"] };
  const batches = await Array.fromAsync(streamLogFiles(disk, params, {}));
  const records = batches.flatMap(recordsOf);
  assert.deepEqual(records.map(({ styled }) => styled), [
    "\x1b[32mready\x1b[0m",
  ]);
  assert.deepEqual(records.map((record) => lineOf(record, true)), [
    "2026-11-20T10:00:00.000 ready",
  ]);
  assert.deepEqual(records.map((record) => lineOf(record, false)), [
    { ts: "2026-11-20T10:00:00.000Z", task: "web", text: "ready" },
  ]);
});

Deno.test("followLogFiles() goes on with lines that are written later", async () => {
  await using project = await past();
  const { disk, config, home } = project;
  const folder = `${home.home}/projects/shop-fix/logs`;
  await Deno.mkdir(folder, { recursive: true });
  const path = `${folder}/api.log`;
  await Deno.writeTextFile(path, "2026-11-20T10:00:00.000 one\n");
  const controller = new AbortController();
  const records = followLogFiles(
    disk,
    { ...LOG_QUERY, config },
    controller.signal,
  );
  assert.equal((await records.next()).value?.text, "one");
  const next = records.next();
  await Deno.writeTextFile(path, "2026-11-20T10:00:01.000 two\n", {
    append: true,
  });
  assert.equal((await next).value?.text, "two");
  controller.abort();
  assert.equal((await records.next()).done, true);
});

Deno.test("readEnvironment() tells the assigned addresses", async () => {
  await using project = await past();
  const { disk, config } = project;
  const { env } = await readEnvironment(disk, { scope: { config } });
  assert.equal(env["TASKMUX_PROJECT_ID"], "shop-fix");
  assert.equal(env["TASKMUX_URL_API"], "http://localhost:4100");
  assert.equal(env["TASKMUX_URL_WEB"], "https://web.shop-fix.localhost");
  assert.equal(env["TASKMUX_BASE_HOST"], "shop-fix.localhost");
  const short = await readEnvironment(disk, {
    scope: { config },
    prefix: "X_",
    urls: false,
  });
  assert.equal(short.env["X_PROJECT"], "shop");
  assert(!("X_URL_WEB" in short.env));
});

Deno.test("addresses are those of the settings and of the port that the proxy had last", async () => {
  await using project = await past();
  const { disk, config, home } = project;
  const urlOf = async (name: string) =>
    (await readAddress(disk, config, { name })).url;
  const settings = (text: string) =>
    Deno.writeTextFile(home.paths.hostConfig, text);
  const note = (wanted: number, port: number | null): void => {
    using store = Store.open(home.paths, { clock: stillClock });
    store.aliases.set("shop-fix", { name: "db", host: "data", port: 5432 });
    noteBinding(store.meta, { wanted, port });
  };
  assert.equal(await urlOf("web"), "https://web.shop-fix.localhost");
  note(443, 8443);
  assert.equal(await urlOf("web"), "https://web.shop-fix.localhost:8443");
  assert.equal(await urlOf("db"), "https://data.shop-fix.localhost:8443");
  const { env } = await readEnvironment(disk, { scope: { config } });
  assert.equal(
    env["TASKMUX_URL_DB"],
    "https://data.shop-fix.localhost:8443",
  );
  await settings('proxy_https_port = 9443\ndns_managed_tld = "test"\n');
  assert.equal(await urlOf("web"), "https://web.shop-fix.test:9443");
  await settings("proxy_https_port = 0\n");
  assert.equal(await urlOf("web"), "http://localhost:4200");
  await settings("proxy_enabled = false\n");
  assert.equal(await urlOf("db"), "http://localhost:5432");
  await settings("");
  const withoutProxy = () => ({ ...disk.env(), TASKMUX_DISABLE_PROXY: "1" });
  const forbidden = await readAddress(
    { ...disk, env: withoutProxy },
    config,
    { name: "web" },
  );
  assert.equal(forbidden.url, "http://localhost:4200");
  note(443, null);
  assert.equal(await urlOf("web"), "http://localhost:4200");
  const { code } = await refusal(readAddress(disk, config, { name: "ghost" }));
  assert.equal(code, "E200");
  // The gates are the daemon's: without one nobody gets through.
  const shut = readAddress(disk, config, { name: "web", isPublic: true });
  assert.equal((await refusal(shut)).code, "E743");
});

Deno.test("readProjects() and readDaemonStatus() tell what is registered", async () => {
  await using project = await past();
  const { projects, daemon_pid } = await readProjects(project.home.paths);
  assert.equal(daemon_pid, null);
  assert.deepEqual(
    projects.map(({ session, state }) => [session, state]),
    [["shop-fix", "unmanaged"]],
  );
  const status = await readDaemonStatus(project.home.paths, {});
  assert.deepEqual(
    [status.running, status.registered_projects, status.running_tasks],
    [false, 1, 0],
  );
});

Deno.test("stopNothing() refuses with the code that fits", async () => {
  await using project = await past();
  const { disk, config } = project;
  const stop = (...names: string[]) => stopNothing(disk, config, names);
  assert.equal((await refusal(stop())).code, "E300");
  assert.equal((await refusal(stop("api"))).code, "E202");
  assert.equal((await refusal(stop("ghost"))).code, "E200");
  const several = await stop("ghost", "api");
  assert.equal(several.ok, false);
  assert.deepEqual(
    several.results?.map(({ task, error_code }) => [task, error_code]),
    [["ghost", "E200"], ["api", "E202"]],
  );
});

Deno.test("streamLogFiles() leaves nothing open when its consumer has enough", async () => {
  await using project = await past();
  const { disk, config, home } = project;
  await Deno.mkdir(`${home.work}/logs`);
  const lines = Array.from(
    { length: 5_000 },
    (_, n) => `2026-11-20T10:00:00.000 line ${n}\n`,
  );
  await Deno.writeTextFile(`${home.work}/logs/web.log`, lines.join(""));
  const params = { ...LOG_QUERY, config, tasks: ["web"], lines: null };
  for await (const piece of streamLogFiles(disk, params, {})) {
    assert.equal(recordsOf(piece)[0]?.text, "line 0");
    break;
  }
});
