/**
 * The environment and the terminal of a task.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parseEnv } from "node:util";
import type { TestProject } from "../support/project.ts";
import { type Json, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

/** Writes the environment of each run under its id. */
const DUMP =
  'env > "$TASKMUX_RUN_ID.tmp"; mv "$TASKMUX_RUN_ID.tmp" "$TASKMUX_RUN_ID.env"; exec sleep 1000';

async function environmentOf(
  project: TestProject,
  task: string,
): Promise<NodeJS.Dict<string>> {
  const { run_id: runId } = await project.ok<{ readonly run_id: string }>([
    "inspect",
    task,
  ]);
  return parseEnv(await until(() => project.read(`${runId}.env`)));
}

Deno.test("a task has the environment of the shell that asked for it, until another one does", async () => {
  await using taskmux = await testTaskmux({ env: { SHELL_NAME: "first" } });
  const project = await taskmux.project(`
name = "shells"
[tasks.web]
command = '''${DUMP}'''
[tasks.late]
command = '''${DUMP}'''
auto_start = false
`);
  // The shell that wakes the daemon is not the one that starts the task.
  await project.ok(["daemon", "start"]);
  const second = { env: { SHELL_NAME: "second", ONLY_SECOND: "1" } };
  await project.ok(["start"], second);
  const started = await environmentOf(project, "web");
  assert.equal(started["SHELL_NAME"], "second");
  assert.equal(started["ONLY_SECOND"], "1");

  const crash = async (): Promise<NodeJS.Dict<string>> => {
    const pid = await project.pid("web");
    Deno.kill(pid, "SIGKILL");
    await project.when("web", (task) => task.running && task.pid !== pid);
    return await environmentOf(project, "web");
  };
  assert.equal((await crash())["SHELL_NAME"], "second");

  // The environment is on no disk, and outlives the daemon all the same.
  await taskmux.ok(["daemon", "restart"], { env: { SHELL_NAME: "third" } });
  assert.equal((await crash())["SHELL_NAME"], "second");

  await project.ok(["restart", "web"], { env: { SHELL_NAME: "fourth" } });
  const restarted = await environmentOf(project, "web");
  assert.equal(restarted["SHELL_NAME"], "fourth");
  assert.equal(restarted["ONLY_SECOND"], undefined);

  await project.ok(["start", "late"], { env: { SHELL_NAME: "fifth" } });
  assert.equal((await environmentOf(project, "late"))["SHELL_NAME"], "fifth");
  assert.equal((await crash())["SHELL_NAME"], "fourth");
  for await (const entry of Deno.readDir(taskmux.home.home)) {
    if (!entry.isFile) continue;
    const bytes = await Deno.readTextFile(`${taskmux.home.home}/${entry.name}`);
    assert(!bytes.includes("ONLY_SECOND"), `${entry.name} holds no secrets`);
  }
});

/** Every source that a variable can have. */
const VALUES = `
name = "values"
env_file = ".env"
env = { SHARED = "project", OVERRIDDEN = "project", TWICE = "1" }
[tasks.web]
command = '''${DUMP}'''
host = "web"
env_file = "web.env"
[tasks.web.env]
TWICE = "2"
ADDRESS = "http://127.0.0.1:$PORT/$FROM_FILE/\${SHARED}"
LITERAL = "$$HOME \\\\$x"
TASKMUX_TASK = "forged"
[tasks.plain]
command = '''${DUMP}'''
cwd = "sub"
[tasks.broken]
command = "exec sleep 1000"
env_file = "missing.env"
auto_start = false
`;

Deno.test("env, env_file and taskmux's own variables reach the task in that order", async () => {
  await using taskmux = await testTaskmux({
    env: {
      FROM_SHELL: "shell",
      OVERRIDDEN: "shell",
      TMUX: "caller's own",
      // As if the caller were a task itself.
      TASKMUX_RUN_ID: "000000000000",
      TASKMUX_TASK: "caller",
      PORT: "1",
    },
  });
  const project = await taskmux.project(VALUES);
  await Deno.mkdir(`${project.folder}/sub`);
  await project.file(".env", 'FROM_FILE="a b"\nSHARED=file\n# comment\n');
  await project.file("web.env", "FROM_FILE=web\nexport QUOTED='x y'\n");
  await project.ok(["start"]);
  const web = await environmentOf(project, "web");
  const { port } = await project.task("web");
  assert.equal(web["FROM_SHELL"], "shell");
  assert.equal(web["OVERRIDDEN"], "project");
  assert.equal(web["SHARED"], "project");
  assert.equal(web["TWICE"], "2");
  assert.equal(web["FROM_FILE"], "web");
  assert.equal(web["QUOTED"], "x y");
  assert.equal(web["ADDRESS"], `http://127.0.0.1:${port}/web/project`);
  assert.equal(web["PORT"], String(port));
  assert.equal(web["TASKMUX_PROJECT"], "values");
  assert.equal(web["TASKMUX_PROJECT_ID"], "values");
  assert.equal(web["TASKMUX_TASK"], "web");
  assert.equal(web["TASKMUX_BASE_HOST"], "values.localhost");
  assert.equal(web["TASKMUX_URL_WEB"], `http://localhost:${port}`);
  assert.equal(web["TMUX"], undefined);
  assert.equal(web["TERM"], "xterm-256color");

  const { run_id: runId } = await project.ok<{ readonly run_id: string }>([
    "inspect",
    "plain",
  ]);
  const plain = parseEnv(
    await until(() => project.read(`sub/${runId}.env`)),
  );
  assert.equal(plain["PORT"], undefined, "the caller's port is not ours");
  assert.equal(plain["PWD"], `${project.folder}/sub`);
  assert.equal(plain["FROM_FILE"], "a b");
  assert.equal(plain["TASKMUX_TASK"], "plain");

  const broken = await project.fails("E104", ["start", "broken"]);
  assert.match(broken.error, /missing\.env/);

  const { env } = await project.ok<{ readonly env: Json }>(["env"]);
  assert.equal(env["TASKMUX_PROJECT_ID"], "values");
  assert.equal(env["TASKMUX_URL_WEB"], `http://localhost:${port}`);
  const prefixed = await project.run(["env", "--prefix", "X_", "--no-urls"]);
  assert.match(prefixed.stdout, /^export X_PROJECT=values$/m);
  assert.doesNotMatch(prefixed.stdout, /URL/);
});

Deno.test("a task has a terminal of its own", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "terminal"
[tasks.web]
command = '''
test -t 0 && test -t 1 && test -t 2 && echo "tty: yes"
stty size; (echo "size: $(stty size)") < /dev/tty
echo "TERM=$TERM"; exec sleep 1000'''
ready_log = "TERM="
`);
  await project.ok(["start"]);
  assert.deepEqual(await project.log("web"), [
    "tty: yes",
    "48 160",
    "size: 48 160",
    "TERM=xterm-256color",
  ]);
});
