/**
 * The Python taskmux kept its state in the same folder: what is meaningful is read, the rest stays, and nothing of it is
 * ended or deleted.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../../support/process_state.ts";
import { pictureOf } from "../../support/state_faults.ts";
import { type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const EVENTS = [
  '{"ts": "2026-01-01T10:00:00.000001+00:00", "event": "task_started", "session": "old", "task": "web"}',
  '{"ts": "2026-01-01T11:00:00.000001+00:00", "event": "task_exited", "session": "old", "task": "web", "exit_code": 1}',
  "",
].join("\n");

const OLD_LOG = "2026-01-01 10:00:00 an old line\n";

/** Lays out a folder as the Python taskmux leaves it, with a project that it has registered. */
async function pythonHome(taskmux: Taskmux, daemonPid: number) {
  const { home } = taskmux.home;
  const project = await taskmux.project(
    'name = "old"\n[tasks.web]\ncommand = "echo new; exec sleep 1000"\n',
    "old",
  );
  const registry = {
    projects: {
      old: {
        config_path: project.config,
        registered_at: "2026-01-01T09:00:00.000000+00:00",
        session: "old",
      },
    },
  };
  const state = {
    assigned_ports: { web: 40_000 },
    running: {
      web: { pid: 4_000_000, pgid: 4_000_000, started_at: 1, boot_id: "0" },
    },
  };
  const files: Record<string, string> = {
    "registry.json": JSON.stringify(registry, null, 2),
    "registry.lock": "",
    "events.jsonl": EVENTS,
    "daemon.pid": String(daemonPid),
    "daemon.log": "2026-01-01 - taskmux - INFO - hello\n",
    ".migrated-v2": "",
    ".migrated-v3": "",
    "projects/old/state.json": JSON.stringify(state, null, 2),
    "projects/old/aliases.json":
      '{"db": {"host": "data", "port": 5432}, "bad": {"host": "a.b", "port": 1}}',
    "projects/old/logs/web.log": OLD_LOG,
    "certs/old/cert.pem": "not read",
    "tunnels/cloudflare/old.json": "{}",
  };
  for (const [name, text] of Object.entries(files)) {
    const path = `${home}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  return project;
}

/** What taskmux itself writes to. */
const WRITTEN_REGEXP =
  /\/(?:registry\.(?:json|lock)|daemon\.log|events\.jsonl[^/]*|taskmux\.db[^/]*|keeper\.log|run\/.*|logs\/web\.log)$/;

function untouched(home: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(pictureOf(home)).filter(([path]) =>
      !WRITTEN_REGEXP.test(path)
    ),
  );
}

Deno.test("the state folder of the Python taskmux is taken over, and nothing of it is lost", async () => {
  await using taskmux = await testTaskmux();
  const project = await pythonHome(taskmux, 4_000_000);
  const { home, paths } = taskmux.home;
  const before = untouched(home);
  const { projects } = await taskmux.ok<{ projects: { session: string }[] }>([
    "daemon",
    "list",
  ]);
  assert.deepEqual(projects.map(({ session }) => session), ["old"]);

  await project.ok(["start"]);
  await project.when("web", "running");
  const { aliases } = await project.status();
  assert.deepEqual(
    aliases.map(({ name, host, port }) => [name, host, port]),
    [["db", "data", 5432]],
  );
  assert.deepEqual(untouched(home), before);
  assert.equal(await Deno.readTextFile(`${paths.eventsMirror}.python`), EVENTS);
  const mirror = await Deno.readTextFile(paths.eventsMirror);
  assert.match(mirror, /^\{"seq":1,/);
  const status = await project.status();
  assert.match(status.warnings.join("\n"), /events\.jsonl\.python/);
  assert.doesNotMatch(status.warnings.join("\n"), /daemon\.pid/);
  // No damage.
  const { events } = await taskmux.call("event.list", {
    types: ["state_damaged"],
    limit: 0,
  });
  assert.deepEqual(events, []);
  const log = await Deno.readTextFile(`${paths.projects}/old/logs/web.log`);
  assert(log.startsWith(OLD_LOG), "its log goes on");
  await project.ok(["logs", "web"]);
  const { entries } = await registryOf(taskmux);
  assert.equal(
    entries["old"]?.registered_at,
    "2026-01-01T09:00:00.000000+00:00",
  );

  const { checks } = await doctor(taskmux);
  const left = checks.find(({ name }) => name === "python_taskmux");
  assert.match(left?.detail ?? "", /projects\/old\/state\.json/);
  await taskmux.ok(["daemon", "restart"]);
  assert.equal(await Deno.readTextFile(`${paths.eventsMirror}.python`), EVENTS);
});

Deno.test("a daemon of the Python taskmux that still runs is told, not ended", async () => {
  await using taskmux = await testTaskmux();
  // Its command line says taskmux; so does that of the real one.
  await using python = stranger(["sh", "-c", "read line; : taskmux daemon"]);
  const project = await pythonHome(taskmux, python.pid);
  await project.ok(["start"]);
  const told = new RegExp(
    `runs as pid ${python.pid} .*kill ${python.pid}$`,
    "m",
  );
  await until(async () =>
    told.test((await project.status()).warnings.join("\n"))
  );
  const { ok, checks } = await doctor(taskmux);
  assert.equal(ok, true);
  const found = checks.find(({ name }) => name === "python_daemon");
  assert.equal(found?.status, "warn");
  assert.equal(found?.fix, `kill ${python.pid}`);
  await taskmux.ok(["daemon", "stop"]);
  assert(await isRunning(python.pid));
  assert.equal(
    await Deno.readTextFile(`${taskmux.home.home}/daemon.pid`),
    String(python.pid),
  );
});

function stranger(
  [program, ...args]: readonly [string, ...string[]],
): { readonly pid: number } & AsyncDisposable {
  const child = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await child.status;
    },
  };
}

async function registryOf(
  { home: { paths } }: Taskmux,
): Promise<{ entries: Record<string, { registered_at: string }> }> {
  const text = await Deno.readTextFile(paths.registry);
  return { entries: JSON.parse(text).projects };
}

interface Report {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
    readonly fix: string | null;
  }[];
}

async function doctor(taskmux: Taskmux): Promise<Report> {
  return (await taskmux.run(["doctor", "--json"])).json() as unknown as Report;
}
