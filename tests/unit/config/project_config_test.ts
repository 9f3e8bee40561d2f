import assert from "node:assert/strict";
import {
  loadProject,
  parseProject,
} from "../../../src/config/project_config.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import type { ProjectSpec, TaskSpec } from "../../../src/domain/task_spec.ts";
import { ORIGINAL_PROJECTS } from "./original_examples.ts";

const PATH = "/code/My App_1/taskmux.toml";
const ROOT = "/code/My App_1";

function parse(text: string): ProjectSpec {
  return parseProject(text, PATH, { home: "/home/me" });
}

/** The task of `[tasks.a] command = "x"` with more lines. */
function taskWith(lines: string): TaskSpec {
  return parse(`[tasks.a]\ncommand = "x"\n${lines}`).tasks.get("a")!;
}

Deno.test("parseProject reads every example of the original", () => {
  for (const [name, text] of Object.entries(ORIGINAL_PROJECTS)) {
    assert.doesNotThrow(() => parse(text), name);
  }
  const opening = parse(ORIGINAL_PROJECTS["opening"]!);
  assert.deepEqual([...opening.tasks.keys()], [
    "api",
    "website",
    "worker",
    "db",
  ]);
  assert.deepEqual(opening.tasks.get("api")!.env, [["LOG_LEVEL", "debug"]]);
  assert.equal(opening.tasks.get("website")!.restart.policy, "always");
});

Deno.test("parseProject fills in every default", () => {
  const { tasks, ...project } = parse("");
  assert.deepEqual(project, {
    name: "my-app-1",
    configPath: PATH,
    root: ROOT,
    autoStart: true,
    autoInjectAgents: null,
    hooks: {},
    envFiles: [],
    env: [],
    worktree: {
      enabled: true,
      separator: "-",
      mainBranches: ["main", "master"],
    },
    tunnel: { zoneId: null, tunnelName: null },
  });
  assert.equal(tasks.size, 0);
  const { digest, ...task } = taskWith("");
  assert.match(digest, /^[0-9a-f]{16}$/);
  assert.deepEqual(task, {
    name: "a",
    command: "x",
    shell: null,
    cwd: ROOT,
    envFiles: [],
    env: [],
    autoStart: true,
    host: null,
    hostPath: "/",
    port: null,
    wantsPort: false,
    dependsOn: [],
    health: {
      url: null,
      expectedStatus: 200,
      expectedBody: null,
      check: null,
      readyLog: null,
      intervalMs: 10_000,
      timeoutMs: 5_000,
      retries: 3,
      bootGraceMs: 10_000,
    },
    restart: {
      policy: "on-failure",
      maxRestarts: 5,
      backoff: 2,
      successExitCodes: [0],
    },
    stopSignal: "SIGINT",
    stopGraceMs: 5_000,
    pidsLimit: 8192,
    watch: [],
    watchIgnore: [],
    log: { file: null, maxBytes: 10 * 1024 * 1024, maxFiles: 3 },
    tunnel: null,
    publicHostname: null,
    hooks: {},
    scope: "project",
  });
});

const EVERY_KEY = `
name = "shop"
auto_start = false
auto_daemon = true
auto_inject_agents = true
env = { A = "1" }
env_file = ".env"
[hooks]
before_start = "hb"
after_stop = "ha"
[worktree]
enabled = false
separator = "--"
main_branches = ["trunk"]
[tunnel.cloudflare]
zone_id = "z"
tunnel_name = "t"
[tasks]
db = "postgres"
[tasks.web]
command = "serve"
shell = "bash"
cwd = "../web"
env = { B = "$A" }
env_file = ["web.env", "/etc/web.env"]
auto_start = false
host = "@"
host_path = "/app"
port = 3000
depends_on = { db = "started" }
health_url = "http://localhost:$PORT"
health_expected_status = 204
health_expected_body = "ok|fine"
health_check = "true"
ready_log = "listening on \\\\d+"
health_interval = 0.5
health_timeout = 0.0001
health_retries = 0
health_retries_tcp = 2
boot_grace = 0
restart_policy = "always"
max_restarts = 0
restart_backoff = 1.5
success_exit_codes = [0, 143]
stop_signal = "SIGTERM"
stop_grace_period = 0
pids_limit = 0
watch = "src/**"
watch_ignore = ["*.tmp"]
log_file = "~/web.log"
log_max_size = "1.5KB"
log_max_files = 0
tunnel = "noop"
public_hostname = " API.Example.com. "
hooks = { after_start = "x", before_stop = "y" }
scope = "repo"
`;

Deno.test("parseProject reads every key", () => {
  const project = parse(EVERY_KEY);
  assert.deepEqual(
    [project.name, project.autoStart, project.autoInjectAgents],
    ["shop", false, true],
  );
  assert.deepEqual(project.hooks, { before_start: "hb", after_stop: "ha" });
  assert.deepEqual(project.worktree, {
    enabled: false,
    separator: "--",
    mainBranches: ["trunk"],
  });
  const { digest: _, ...web } = project.tasks.get("web")!;
  assert.deepEqual(web, {
    name: "web",
    command: "serve",
    shell: "bash",
    cwd: "/code/web",
    envFiles: [`${ROOT}/.env`, `${ROOT}/web.env`, "/etc/web.env"],
    env: [["A", "1"], ["B", "$A"]],
    autoStart: false,
    host: "@",
    hostPath: "/app",
    port: 3000,
    wantsPort: true,
    dependsOn: [{ task: "db", condition: "started" }],
    health: {
      url: "http://localhost:$PORT",
      expectedStatus: 204,
      expectedBody: "ok|fine",
      check: "true",
      readyLog: "listening on \\d+",
      intervalMs: 500,
      timeoutMs: 1,
      retries: 1,
      bootGraceMs: 0,
    },
    restart: {
      policy: "always",
      maxRestarts: 0,
      backoff: 1.5,
      successExitCodes: [0, 143],
    },
    stopSignal: "SIGTERM",
    stopGraceMs: 0,
    pidsLimit: 0,
    watch: ["src/**"],
    watchIgnore: ["*.tmp"],
    log: { file: "/home/me/web.log", maxBytes: 1536, maxFiles: 0 },
    tunnel: "noop",
    publicHostname: "api.example.com",
    hooks: { after_start: "x", before_stop: "y" },
    scope: "repo",
  });
});

Deno.test("parseProject keeps the order of the file, of numeric names too", () => {
  const { tasks } = parse(`
[tasks]
z = "x"
10 = "x"
[tasks.9]
command = "x"
env = { Z = 1, A = 2 }
depends_on = { z = "started", 10 = "started" }
[tasks.a]
command = "x"
`);
  assert.deepEqual([...tasks.keys()], ["z", "10", "9", "a"]);
  const nine = tasks.get("9")!;
  assert.deepEqual(nine.env, [["Z", "1"], ["A", "2"]]);
  assert.deepEqual(nine.dependsOn.map(({ task }) => task), ["z", "10"]);
});

Deno.test("parseProject reads the forms of a dependency", () => {
  const dependencies = (written: string): TaskSpec["dependsOn"] =>
    parse(`[tasks]\ndb = "x"\nq = "y"\n[tasks.a]\ncommand = "x"\n${written}`)
      .tasks.get("a")!.dependsOn;
  const healthy = { task: "db", condition: "healthy" };
  assert.deepEqual(dependencies('depends_on = ["db"]'), [healthy]);
  assert.deepEqual(dependencies('depends_on = ["db", "db"]'), [healthy]);
  assert.deepEqual(dependencies("depends_on = []"), []);
  assert.deepEqual(
    dependencies('depends_on = { db = "healthy", q = "completed" }'),
    [healthy, { task: "q", condition: "completed" }],
  );
});

Deno.test("parseProject turns values of variables into text", () => {
  const { env } = taskWith(
    'env = { A = "", B = 1, C = 1.10, D = true, E = 0x1F, F = 1_000, G = -0.0 , H = 99999999999999999999 }',
  );
  assert.deepEqual(env, [
    ["A", ""],
    ["B", "1"],
    ["C", "1.10"],
    ["D", "true"],
    ["E", "31"],
    ["F", "1000"],
    ["G", "-0.0"],
    ["H", "99999999999999999999"],
  ]);
});

Deno.test("parseProject makes paths absolute", () => {
  const check = (written: string, expected: string): void =>
    assert.equal(taskWith(`cwd = "${written}"`).cwd, expected);
  check("api", `${ROOT}/api`);
  check("./api/../web/", `${ROOT}/web`);
  check("/srv", "/srv");
  check("~", "/home/me");
  check("~/api", "/home/me/api");
  check("~other", `${ROOT}/~other`);
  assert.equal(taskWith('shell = "/bin/bash"').shell, "/bin/bash");
  assert.equal(taskWith('shell = "./sh"').shell, `${ROOT}/sh`);
});

Deno.test("parseProject sees who wants a port", () => {
  const check = (lines: string, expected: boolean): void =>
    assert.equal(taskWith(lines).wantsPort, expected, lines);
  check("", false);
  check('host = "api"', true);
  check("port = 1", true);
  check('health_url = "http://localhost:$PORT"', true);
  check('health_check = "nc -z localhost ${PORT}"', true);
  check('env = { URL = "x:${PORT:-80}" }', true);
  check('hooks = { after_start = "echo $PORT" }', true);
  check('health_check = "echo $PORTAL ${PORTS} PORT"', false);
  const of = (text: string): boolean => parse(text).tasks.get("a")!.wantsPort;
  assert.equal(of('tasks.a = "run -p $PORT"'), true);
  assert.equal(of('env = { U = "$PORT" }\n[tasks]\na = "x"'), true);
  assert.equal(
    of('hooks = { after_start = "$PORT" }\n[tasks]\na = "x"'),
    false,
  );
});

Deno.test("parseProject reads sizes of logs", () => {
  const check = (written: string, expected: number): void =>
    assert.equal(
      taskWith(`log_max_size = ${written}`).log.maxBytes,
      expected,
      written,
    );
  check("512", 512);
  check('"512"', 512);
  check('"1B"', 1);
  check('"2 kb"', 2048);
  check('"1.5MB"', 1_572_864);
  check('"1GB"', 1_073_741_824);
  check('"10MiB"', 10_485_760);
  check('"3m"', 3_145_728);
});

Deno.test("parseProject names a project after its folder", () => {
  const check = (folder: string, expected: string): void =>
    assert.equal(
      parseProject("", `${folder}/taskmux.toml`).name,
      expected,
      folder,
    );
  check("/code/shop", "shop");
  check("/code/My App_1", "my-app-1");
  check("/code/--x--", "x");
  check("/code/日本", "project");
  check("/", "project");
  check("/code/Taskmux", "taskmux-project");
  check(`/code/${"x".repeat(62)}-y`, "x".repeat(62));
  check(`/code/-${"x".repeat(80)}`, "x".repeat(63));
});

Deno.test("parseProject keeps the address of taskmux itself free", () => {
  assert.throws(
    () => parse('name = "taskmux"\n'),
    (error: unknown) =>
      error instanceof TaskmuxError && error.code === "E104" &&
      /"taskmux" is reserved/.test(error.message),
  );
  assert.equal(parse('name = "taskmux-web"\n').name, "taskmux-web");
});

Deno.test("parseProject digests the meaning, not the writing", () => {
  const digest = (text: string): string => parse(text).tasks.get("a")!.digest;
  const plain = digest('[tasks]\na = "x"');
  assert.equal(digest('[tasks.a] # note\ncommand = """x"""\n'), plain);
  assert.equal(digest('[tasks.a]\nauto_start = true\ncommand = "x"'), plain);
  // Where a task runs does not change what runs.
  assert.equal(digest('[tasks.a]\nscope = "repo"\ncommand = "x"'), plain);
  assert.equal(digest('name = "other"\n[tasks]\na = "x"\nb = "y"'), plain);
  const different = [
    '[tasks]\na = "y"',
    '[tasks]\na = "x"\n[env]\nA = 1',
    '[tasks.a]\ncommand = "x"\nport = 1',
    '[tasks.a]\ncommand = "x"\nenv = { A = 1, B = 2 }',
    '[tasks.a]\ncommand = "x"\nenv = { B = 2, A = 1 }',
  ].map(digest);
  assert.equal(new Set([plain, ...different]).size, 6);
});

Deno.test("parseProject takes names that JavaScript knows for names", () => {
  const { tasks } = parse(`
[tasks]
constructor = "a"
__proto__ = "b"
toString = "c"
[env]
__proto__ = "d"
`);
  assert.deepEqual([...tasks.keys()], ["constructor", "__proto__", "toString"]);
  assert.deepEqual(tasks.get("__proto__")!.env, [["__proto__", "d"]]);
});

Deno.test("loadProject reads a file, through a link too", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/real.toml`, '\uFEFFname = "shop"\r\n');
    await Deno.symlink("real.toml", `${folder}/taskmux.toml`);
    const project = await loadProject(`${folder}/taskmux.toml`);
    assert.equal(project.name, "shop");
    assert.equal(project.root, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadProject says why a file cannot be read", async () => {
  const folder = await Deno.makeTempDir();
  const check = async (
    name: string,
    code: string,
    message: RegExp,
  ): Promise<void> => {
    await assert.rejects(
      loadProject(`${folder}/${name}`),
      (error) =>
        error instanceof TaskmuxError && error.code === code &&
        message.test(error.message),
      name,
    );
  };
  try {
    await Deno.mkdir(`${folder}/folder`);
    await Deno.writeFile(`${folder}/latin`, new Uint8Array([0x61, 0xe9]));
    await Deno.writeTextFile(`${folder}/big`, "#".repeat(1024 * 1024 + 1));
    await Deno.symlink("ring", `${folder}/ring`);
    await check("gone", "E100", /there is no such file/);
    await check("gone/deep", "E100", /there is no such file/);
    await check("folder", "E100", /it is a folder/);
    await check("ring", "E100", /links form a ring/);
    await check("latin", "E101", /not UTF-8/);
    await check("big", "E101", /larger than 1 MiB/);
    const isRoot = Deno.uid() === 0;
    if (!isRoot) {
      await Deno.writeTextFile(`${folder}/secret`, "");
      await Deno.chmod(`${folder}/secret`, 0);
      await check("secret", "E100", /permission is denied/);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
