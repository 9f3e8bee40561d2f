/**
 * The CLI where no daemon runs: what it answers from disk, what it refuses, and that it leaves no trace.
 */

import assert from "node:assert/strict";
import { COMMANDS, findEntry } from "../../src/cli/command_table.ts";
import { type CliRun, runCli } from "../support/cli.ts";
import { type TempHome, tempHome } from "../support/temp_home.ts";

const PROJECT = `name = "shop" # the shop

[tasks.db]
command = "sleep 1000"

# The server.
[tasks.api]
command = "sleep 1000" # forever
depends_on = ["db"]
host = "api"

[tasks.seed]
command = "true"
auto_start = false
`;

async function projectHome(text: string = PROJECT): Promise<TempHome> {
  const home = await tempHome();
  await Deno.writeTextFile(`${home.work}/taskmux.toml`, text);
  return home;
}

/** Every path below the home's root. */
async function tree({ root }: TempHome): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for await (const entry of Deno.readDir(folder)) {
      const path = `${folder}/${entry.name}`;
      found.push(path.slice(root.length));
      if (entry.isDirectory) await visit(path);
    }
  };
  await visit(root);
  return found.sort();
}

/** An error in its one shape. */
function assertError(run: CliRun, code: string, exit: number): void {
  const answer = run.json();
  assert.equal(answer["ok"], false);
  assert.equal(answer["error_code"], code, JSON.stringify(answer));
  assert.equal(typeof answer["error"], "string");
  assert.equal(run.code, exit);
}

Deno.test("every project command outside a project is E100 and leaves no trace", async () => {
  await using home = await tempHome();
  const before = await tree(home);
  for (
    const args of [
      ["start"],
      ["stop"],
      ["restart", "x"],
      ["kill", "x"],
      ["run", "x", "--", "true"],
      ["wait", "x"],
      ["ensure", "x"],
      ["why", "x"],
      ["status"],
      ["list"],
      ["ls"],
      ["health"],
      ["inspect", "x"],
      ["logs"],
      ["logs", "-f", "x"],
      ["events"],
      ["env"],
      ["watch"],
      ["add", "x", "true"],
      ["remove", "x"],
      ["check"],
      ["logs-clean"],
      ["clean", "--yes"],
      ["daemon", "register"],
      ["--config", "other.toml", "status"],
    ]
  ) assertError(await runCli(home, ["--json", ...args]), "E100", 3);
  assert.deepEqual(await tree(home), before);
});

Deno.test("E100 for people names the folder and the next command, on stderr", async () => {
  await using home = await tempHome();
  const { code, stdout, stderr } = await runCli(home, ["status"]);
  assert.equal(code, 3);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    `Error [E100]: Cannot find taskmux.toml: there is none in "${home.work}" or above\n` +
      "hint: taskmux init\n",
  );
});

Deno.test("wrong usage is E500 with exit 2 and says what was meant", async () => {
  await using home = await projectHome();
  for (
    const [line, hint] of [
      ["statu", 'did you mean "taskmux status"?'],
      ["daemon strat", 'did you mean "taskmux daemon start"?'],
      ["frobnicate", "taskmux --help"],
      ["config", "taskmux config --help"],
      ["status now", "Usage: taskmux status"],
      ["kill", "Usage: taskmux kill TASK..."],
      ["logs --folow", "did you mean --follow?"],
      ["logs -n many", "Write --lines 10"],
      ["logs --since yesterday", "Write --since 5m"],
      ["start --timeout soon", "Write --timeout 30"],
      ["logs -g", "Write --grep=REGEXP"],
      ["-C nowhere status", "ls"],
      ["run x", "Usage: taskmux run x -- COMMAND..."],
      ["clean", "Add --yes, or --dry-run to see what would be deleted"],
      ["env --shell tcsh", "taskmux env --shell posix"],
    ]
  ) {
    const run = await runCli(home, ["--json", ...line!.split(" ")]);
    assertError(run, "E500", 2);
    assert.equal(run.json()["hint"], hint, line);
  }
  assertError(await runCli(home, ["logs", "-g", "--json"]), "E500", 2);
  assertError(await runCli(home, ["--json"]), "E500", 2);
});

Deno.test("help and version", async () => {
  await using home = await tempHome();
  const bare = await runCli(home, []);
  const asked = await runCli(home, ["--help"]);
  assert.equal(bare.code, 2);
  assert.equal(asked.code, 0);
  assert.equal(bare.stdout, asked.stdout);
  for (const { name } of COMMANDS) {
    assert.match(asked.stdout, new RegExp(`^  ${name}[ ,]`, "m"));
  }
  const version = await runCli(home, ["-V"]);
  assert.match(version.stdout, /^taskmux \d+\.\d+\.\d+\n$/);
  const json = (await runCli(home, ["--version", "--json"])).json();
  assert.equal(json["ok"], true);
  assert.equal((await runCli(home, ["status", "-h", "--json"])).code, 0);
  assert.deepEqual(await tree(home), ["/work"]);
});

Deno.test("every command has help with its usage, options and examples", async () => {
  await using home = await tempHome();
  const paths = COMMANDS.flatMap((entry) => [
    [entry.name],
    ...(entry.subcommands ?? []).map((sub) => [entry.name, sub.name]),
  ]);
  for (const path of paths) {
    const { code, stdout } = await runCli(home, [...path, "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: taskmux ${path.join(" ")}`, "m"));
    assert.match(stdout, /^ +--json /m);
    const entry = findEntry(path[0]!, COMMANDS);
    if (path.length === 2 || entry?.load !== undefined) {
      assert.match(stdout, /^Examples:\n {2}\S/m, path.join(" "));
    }
    for (const line of stdout.split("\n")) {
      assert(line.length <= 120, `${path.join(" ")}: ${line}`);
    }
  }
});

Deno.test("status answers from disk: every task, nothing running, exit 0", async () => {
  await using home = await projectHome();
  const before = await tree(home);
  for (const name of ["status", "list", "ls"]) {
    const run = await runCli(home, [name, "--json"]);
    assert.equal(run.code, 0);
    const answer = run.json() as {
      readonly ok: boolean;
      readonly running: boolean;
      readonly session: string;
      readonly daemon_pid: number | null;
      readonly tasks: readonly Record<string, unknown>[];
    };
    assert.equal(answer.ok, true);
    assert.equal(answer.running, false);
    assert.equal(answer.session, "shop");
    assert.equal(answer.daemon_pid, null);
    assert.deepEqual(
      answer.tasks.map((task) => [task["name"], task["state"], task["pid"]]),
      [["db", "stopped", null], ["api", "stopped", null], [
        "seed",
        "stopped",
        null,
      ]],
    );
  }
  const human = await runCli(home, ["status"]);
  assert.match(human.stdout, /^Session "shop": stopped, no daemon\n/);
  assert.match(human.stdout, /deps=\[db\]/);
  assert.deepEqual(await tree(home), before);
});

Deno.test("the project is found from below, by -C, and by --config", async () => {
  await using home = await projectHome();
  await Deno.mkdir(`${home.work}/a/b`, { recursive: true });
  await Deno.mkdir(`${home.root}/elsewhere`);
  await Deno.symlink(home.work, `${home.root}/link`);
  for (
    const [cwd, args] of [
      [`${home.work}/a/b`, ["status"]],
      [home.root, ["-C", "work/a", "status"]],
      [`${home.root}/elsewhere`, ["-C", `${home.root}/link/a`, "status"]],
      [home.root, ["--config", "work/taskmux.toml", "status"]],
      [home.root, ["status", "--config=link/taskmux.toml"]],
      [home.root, ["-C", "work", "status", "--config", "taskmux.toml"]],
    ] as const
  ) {
    const run = await runCli(home, [...args, "--json"], { cwd });
    assert.equal(
      run.json()["config_path"],
      `${home.work}/taskmux.toml`,
      args.join(" "),
    );
  }
});

Deno.test("read-only commands answer from disk without a daemon", async () => {
  await using home = await projectHome();
  const before = await tree(home);
  const health = (await runCli(home, ["health", "--json"])).json();
  assert.equal(health["healthy_count"], 0);
  assert.equal(health["total_count"], 3);
  const inspect = (await runCli(home, ["inspect", "api", "--json"])).json();
  assert.equal(inspect["ok"], true);
  assert.equal(inspect["state"], "stopped");
  assert.deepEqual(inspect["pids"], []);
  assert.match(
    String(inspect["log_file"]),
    /\/projects\/shop\/logs\/api\.log$/,
  );
  const events = (await runCli(home, ["events", "--json"])).json();
  assert.deepEqual([events["ok"], events["count"]], [true, 0]);
  const all = (await runCli(home, ["events", "--all", "--json"])).json();
  assert.deepEqual(all["events"], []);
  const logs = (await runCli(home, ["logs", "--json"])).json();
  assert.deepEqual([logs["ok"], logs["lines"]], [true, []]);
  const env = (await runCli(home, ["env", "--json"])).json();
  const variables = env["env"] as Record<string, string>;
  assert.equal(variables["TASKMUX_PROJECT"], "shop");
  const status = (await runCli(home, ["daemon", "status", "--json"])).json();
  assert.deepEqual([status["running"], status["pid"]], [false, null]);
  const list = (await runCli(home, ["daemon", "list", "--json"])).json();
  assert.deepEqual([list["count"], list["daemon_pid"]], [0, null]);
  assert.deepEqual(await tree(home), before);
});

Deno.test("logs read the files of a task without a daemon", async () => {
  await using home = await projectHome();
  const folder = `${home.home}/projects/shop/logs`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/api.log.1`,
    "2026-11-20T10:00:00.000 first\n",
  );
  await Deno.writeTextFile(
    `${folder}/api.log`,
    "2026-11-20T10:00:02.000 \x1b[31mError\x1b[0m [code]\n",
  );
  await Deno.writeTextFile(
    `${folder}/db.log`,
    "2026-11-20T10:00:01.000 ready\n",
  );
  const one = (await runCli(home, ["logs", "api", "--json"])).json();
  assert.deepEqual(one["lines"], [
    "2026-11-20T10:00:00.000 first",
    "2026-11-20T10:00:02.000 Error [code]",
  ]);
  const all = (await runCli(home, ["logs", "--json"])).json();
  assert.deepEqual(
    (all["lines"] as { task: string; text: string }[])
      .map(({ task, text }) => [task, text]),
    [["api", "first"], ["db", "ready"], ["api", "Error [code]"]],
  );
  const human = await runCli(home, ["logs", "-g", "error|ready"]);
  assert.equal(
    human.stdout,
    "2026-11-20T10:00:01.000Z [db] ready\n" +
      "2026-11-20T10:00:02.000Z [api] Error [code]\n",
  );
  const last = await runCli(home, ["logs", "api", "-n", "1"]);
  assert.equal(last.stdout, "2026-11-20T10:00:02.000Z Error [code]\n");
  assertError(await runCli(home, ["logs", "ghost", "--json"]), "E200", 4);
});

Deno.test("stop and kill with nothing running say so without starting a daemon", async () => {
  await using home = await projectHome();
  const before = await tree(home);
  assertError(await runCli(home, ["stop", "--json"]), "E300", 4);
  assertError(await runCli(home, ["stop", "api", "--json"]), "E202", 4);
  assertError(await runCli(home, ["kill", "api", "--json"]), "E202", 4);
  const ghost = await runCli(home, ["stop", "apu", "--json"]);
  assertError(ghost, "E200", 4);
  assert.equal(ghost.json()["hint"], 'did you mean "api"?');
  const several = await runCli(home, ["stop", "api", "db", "--json"]);
  assertError(several, "E202", 4);
  assert.equal((several.json()["results"] as unknown[]).length, 2);
  assert.deepEqual(await tree(home), before);
});

Deno.test("daemon commands without a daemon say so without starting one", async () => {
  await using home = await tempHome();
  assertError(await runCli(home, ["daemon", "pid", "--json"]), "E600", 6);
  assertError(await runCli(home, ["daemon", "stop", "--json"]), "E600", 6);
  const unregister = ["daemon", "unregister", "ghost", "--json"];
  assertError(await runCli(home, unregister), "E303", 4);
  assertError(
    await runCli(home, ["events", "--all", "-f", "--json"]),
    "E600",
    6,
  );
  assert.deepEqual(await tree(home), ["/work"]);
});

Deno.test("a broken file is told with line and column by every reader", async () => {
  await using home = await projectHome("name = 'x'\n[tasks.a\n");
  for (const args of [["status"], ["health"], ["inspect", "a"], ["stop"]]) {
    const run = await runCli(home, [...args, "--json"]);
    assertError(run, "E101", 3);
    assert.equal((run.json()["details"] as { line: number }).line, 2);
  }
});

Deno.test("init writes a file that check accepts, and never twice", async () => {
  await using home = await tempHome();
  const folder = `${home.work}/My App_1`;
  await Deno.mkdir(folder);
  const options = { cwd: folder };
  const { agent_files: _files, next: _next, ...created } =
    (await runCli(home, ["init", "--json"], options)).json();
  assert.deepEqual(created, {
    ok: true,
    session: "my-app-1",
    config_path: `${folder}/taskmux.toml`,
    action: "created",
    warnings: [],
  });
  const text = await Deno.readTextFile(`${folder}/taskmux.toml`);
  const { agent_files: _same, next: _rest, ...again } =
    (await runCli(home, ["init", "--json"], options)).json();
  assert.deepEqual(again, { ...created, action: "exists" });
  assert.equal(await Deno.readTextFile(`${folder}/taskmux.toml`), text);
  const checked = (await runCli(home, ["check", "--json"], options)).json();
  assert.deepEqual([checked["ok"], checked["errors"]], [true, []]);
  const bad = ["init", "--name", "No Good", "--json"];
  assertError(await runCli(home, bad), "E104", 3);
});

Deno.test("check tells all problems at once and exits 3", async () => {
  await using home = await projectHome(
    'nmae = "x"\n[tasks.a]\ncommand = "true"\nprot = 1\n',
  );
  const run = await runCli(home, ["check", "--json"]);
  assertError(run, "E103", 3);
  const errors = run.json()["errors"] as Record<string, unknown>[];
  assert.deepEqual(
    errors.map(({ code, task, line }) => [code, task, line]),
    [["E103", null, 1], ["E103", "a", 4]],
  );
  const human = await runCli(home, ["check"]);
  assert.equal(human.code, 3);
  assert.match(human.stdout, /\n2 errors, 0 warnings\n$/);
});

Deno.test("check looks at the machine, too", async () => {
  await using home = await projectHome(
    '[tasks.a]\ncommand = "true"\ncwd = "missing"\n',
  );
  const run = await runCli(home, ["check", "--json"]);
  assertError(run, "E213", 3);
});

Deno.test("add and remove leave the rest of the file as it is", async () => {
  await using home = await projectHome();
  const path = `${home.work}/taskmux.toml`;
  const added = await runCli(home, [
    "add",
    "web",
    "npm run dev",
    "--host",
    "web",
    "--depends-on",
    "api",
    "--json",
  ]);
  assert.equal(added.json()["action"], "added");
  const text = await Deno.readTextFile(path);
  assert(text.startsWith(PROJECT.trimEnd()), text);
  const status = (await runCli(home, ["status", "--json"])).json();
  const tasks = status["tasks"] as Record<string, unknown>[];
  assert.equal(tasks.at(-1)?.["command"], "npm run dev");
  const removed = (await runCli(home, ["remove", "web", "--json"])).json();
  assert.equal(removed["action"], "removed");
  assert.equal(removed["stopped"], false);
  assert.equal((await Deno.readTextFile(path)).trimEnd(), PROJECT.trimEnd());
});

Deno.test("add takes words after -- as one command", async () => {
  await using home = await projectHome();
  const args = ["add", "x", "--json", "--", "echo", "a b", "--json"];
  const added = (await runCli(home, args)).json();
  assert.equal(added["command"], "echo 'a b' --json");
});

Deno.test("what cannot be added or removed leaves the file untouched", async () => {
  await using home = await projectHome();
  const path = `${home.work}/taskmux.toml`;
  for (
    const [args, code, exit] of [
      [["remove", "db"], "E210", 3],
      [["remove", "ghost"], "E200", 4],
      [["add", "x", "true", "--depends-on", "ghost"], "E210", 3],
      [["add", "bad name", "true"], "E102", 3],
      [["add", "x", "true", "--host", "Not A Host"], "E104", 3],
      [["add", "x"], "E500", 2],
    ] as const
  ) {
    assertError(await runCli(home, [...args, "--json"]), code, exit);
    assert.equal(await Deno.readTextFile(path), PROJECT);
  }
});

Deno.test("config show, set and path edit the settings and keep the token to themselves", async () => {
  await using home = await tempHome();
  const path = `${home.home}/config.toml`;
  const where = (await runCli(home, ["config", "path", "--json"])).json();
  assert.deepEqual(where, { ok: true, path, exists: false });
  assert.deepEqual(await tree(home), ["/work"]);
  const set = (...args: string[]): Promise<CliRun> =>
    runCli(home, ["config", "set", ...args, "--json"]);
  assert.equal((await set("api_port", "9000")).json()["value"], 9000);
  const secret = await set("tunnel.cloudflare.api_token", "abcd1234efgh5678");
  assert.equal(secret.json()["value"], "abcd***5678");
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  assertError(await set("api_prot", "1"), "E104", 3);
  assertError(await set("api_port", "many"), "E104", 3);
  const shown = async (...args: string[]): Promise<string> =>
    (await runCli(home, ["config", "show", ...args])).stdout;
  assert.match(await shown(), /api_token +abcd\*\*\*5678/);
  assert.doesNotMatch(await shown("--json"), /1234efgh/);
  assert.match(await shown("--reveal"), /api_token +abcd1234efgh5678/);
});

Deno.test("a reader that leaves early is no error", async () => {
  await using home = await tempHome();
  const child = new Deno.Command("sh", {
    args: ["-c", 'deno run -A "$0" --help | head -n 1', mainModule()],
    env: { ...home.env },
    clearEnv: true,
    stdout: "piped",
    stderr: "piped",
  });
  const { stdout, stderr, success } = await child.output();
  assert(success);
  assert.match(new TextDecoder().decode(stdout), /^taskmux runs/);
  assert.equal(new TextDecoder().decode(stderr), "");
});

function mainModule(): string {
  return new URL("../../main.ts", import.meta.url).pathname;
}

Deno.test("a part of taskmux that cannot be fetched is no defect of it", async () => {
  await using home = await projectHome();
  const run = await runCli(home, ["--json", "check"], {
    env: { DENO_DIR: `${home.root}/deno`, HTTPS_PROXY: "http://127.0.0.1:1" },
  });
  const answer = JSON.parse(run.stdout);
  assert.equal(answer.error_code, "E900");
  assert.match(answer.error, /^Cannot load this command: Failed [^\n]*$/);
  assert.match(answer.hint, /with a network$/);
});
