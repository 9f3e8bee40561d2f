/**
 * Secrets: whatever prints them, no answer of any command holds one, unless it is asked for.
 *
 * A new command is added to {@linkcode ANSWERS} as one line.
 *
 * @module
 */

import assert from "node:assert/strict";
import { connect } from "../../src/client/client.ts";
import { Semaphore } from "../../src/kit/semaphore.ts";
import { LineReader } from "../support/line_reader.ts";
import type { TestProject } from "../support/project.ts";
import { isRunning } from "../support/process_state.ts";
import {
  killIfThere,
  readIfThere,
  type Taskmux,
  testTaskmux,
} from "../support/taskmux.ts";
import { openTerminal } from "../support/terminal.ts";
import { until } from "../support/until.ts";

/** Command lines that run at once. */
const AT_ONCE = 4;

const SECRETS = {
  shell: "shell-hunter2-1a",
  toml: "toml/hunter2&2b",
  file: 'file "hunter2" 3c',
  command: "command-hunter2-4d",
  bearer: "bearer.hunter2.5e",
  address: "address-hunter2-6f",
  key: "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
  keyEnd: "hunter2LastLine==",
  jwt: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.aHVudGVyMi1zaWduYXR1cmU",
};

const PRINTS = `cat all.txt; echo "shell $SHELL_TOKEN" "toml $DB_PASSWORD"
printf '%s\\n' "file $FILE_SECRET"`;

const TOML = `
name = "vault"
env_file = ".env"
[env]
DB_PASSWORD = "${SECRETS.toml}"
PIN_TOKEN = "abc"
DATABASE_URL = "postgres://shop:${SECRETS.address}@db/shop"
[tasks.web]
command = '''${PRINTS}; echo END; exec sleep 1000 # --api-key=${SECRETS.command}'''
ready_log = "END"
[tasks.sick]
command = '''exec sleep 1000'''
health_check = '''${PRINTS}; exit 1'''
boot_grace = 1000
[tasks.hooked]
command = "exec sleep 1000"
auto_start = false
[tasks.hooked.hooks]
before_start = '''${PRINTS}; exit 3'''
[tasks.dies]
command = '''${PRINTS}; exit 4'''
auto_start = false
restart_policy = "no"
[tasks.needy]
command = "exec sleep 1000"
auto_start = false
depends_on = { dies = "completed" }
`;

const ALL = `Authorization: Bearer ${SECRETS.bearer}
{"json":"${SECRETS.file.replaceAll('"', '\\"')}","token":"${SECRETS.jwt}"}
url https://h/?q=${encodeURIComponent(SECRETS.toml)}&password=${SECRETS.address}
base64 ${btoa(SECRETS.shell)}
-----BEGIN PRIVATE KEY-----
${SECRETS.key}
${SECRETS.keyEnd}
-----END PRIVATE KEY-----
\x1b[31mcoloured shell-\x1b[1mhunter2\x1b[0m-1a
`;

/** What gives a secret away, in whatever way it is written. */
const GIVEAWAY = /hunter2|aHVudGVy|c2hlbGwtaHVudGVy|BADANBgkqhkiG9w0/;

/** Command lines with a daemon; `shows`: with `--reveal` a secret is there. */
const ANSWERS: readonly (readonly [line: string, reveals?: "shows"])[] = [
  ["status", "shows"],
  ["inspect web", "shows"],
  ["inspect sick", "shows"],
  ["health", "shows"],
  ["health sick", "shows"],
  ["logs", "shows"],
  ["logs web", "shows"],
  ["logs web dies", "shows"],
  ["logs web -n all", "shows"],
  ["logs -n all", "shows"],
  ["logs web -n 2", "shows"],
  ["logs web -g hunter2 -C 1", "shows"],
  ["logs -g LastLine -n all", "shows"],
  ["events"],
  ["events --all"],
  ["daemon status"],
  ["daemon list"],
  ["check"],
  ["doctor"],
  ["env"],
  ["who 1"],
  ["wait sick --timeout 0.2"],
  ["wait web --for log:/never/ --timeout 0.2"],
  ["start hooked", "shows"],
  ["restart hooked", "shows"],
  ["start needy"],
  ["start dies --wait"],
];

/** Those that answer from disk. */
const OFFLINE = [
  "status",
  "inspect web",
  "health",
  "logs",
  "logs web",
  "logs web -n all",
  "logs -g hunter2",
  "events",
  "daemon list",
  "check",
  "env",
];

interface Vault {
  readonly taskmux: Taskmux;
  readonly project: TestProject;
}

async function openVault(taskmux: Taskmux): Promise<Vault> {
  const project = await taskmux.project(TOML);
  await project.file(".env", `FILE_SECRET='${SECRETS.file}'\n`);
  await project.file("all.txt", ALL);
  // Only this shell knows it.
  const env = { SHELL_TOKEN: SECRETS.shell };
  await project.ok(["start"], { env });
  await project.run(["start", "dies", "--wait"], { env });
  await until(async () => (await project.log("web")).includes("END"));
  await project.when("sick", (task) => task.last_health !== null);
  return { taskmux, project };
}

/** Runs command lines in both forms, with a shell that has no secrets of its own. */
async function checkAll(
  { project }: Vault,
  lines: readonly string[],
  check: (line: string, output: string) => void,
): Promise<void> {
  const { signal } = new AbortController();
  const turns = new Semaphore(AT_ONCE);
  const forms = lines.flatMap((line) =>
    line.endsWith("--json") ? [line] : [line, `${line} --json`]
  );
  await Promise.all(forms.map((form) =>
    turns.run(signal, async () => {
      const run = await project.run(form.split(" "));
      assert.notEqual(run.code, 2, `${form}: ${run.stderr}${run.stdout}`);
      check(form, run.stdout + run.stderr);
    })
  ));
}

function holdsNone(what: string, output: string): void {
  const found = GIVEAWAY.exec(output);
  const around = output.slice(Math.max(0, (found?.index ?? 0) - 200));
  assert.equal(found, null, `${what} tells a secret: ${around.slice(0, 400)}`);
}

Deno.test("no command tells a secret, with and without a daemon, unless it is to", async (t) => {
  await using taskmux = await testTaskmux();
  const vault = await openVault(taskmux);
  await t.step("with a daemon", async () => {
    await checkAll(vault, ANSWERS.map(([line]) => line), holdsNone);
  });
  await t.step("--reveal shows", async () => {
    const shown = ANSWERS.filter(([, reveals]) => reveals === "shows")
      .map(([line]) => `${line} --reveal --json`);
    await checkAll(vault, shown, (line, output) => {
      assert.match(output, GIVEAWAY, `${line}: ${output}`);
    });
  });
  await t.step("what is around a secret stays", () => checkRest(vault));
  await t.step("what is followed", () => checkFollowed(vault));
  await t.step("what is shown on a terminal", () => checkTerminal(vault));
  await t.step("secrets are told only to whom may see them", async () => {
    const scope = { config: vault.project.config };
    await assert.rejects(taskmux.call("project.secrets", { scope }), {
      code: "E500",
    });
  });
  await t.step("without a daemon, while a keeper holds the tasks", async () => {
    await crashDaemon(taskmux);
    await checkAll(vault, OFFLINE, holdsNone);
    const shown = await vault.project.run(["logs", "web", "--reveal"]);
    assert.match(shown.stdout, GIVEAWAY);
    await checkTerminal(vault);
  });
  await t.step("the next daemon knows them, too", async () => {
    await taskmux.ok(["daemon", "start"]);
    await checkAll(vault, ["logs web", "inspect web", "status"], holdsNone);
    await checkTerminal(vault);
  });
  await t.step(
    "logs hold what was printed, files of our own hold no secret",
    () => checkFiles(taskmux),
  );
});

async function crashDaemon(taskmux: Taskmux): Promise<void> {
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  killIfThere(daemon);
  await until(async () => !await isRunning(daemon));
}

async function checkRest({ project }: Vault): Promise<void> {
  const { lines } = await project.ok<{ readonly lines: string[] }>([
    "logs",
    "web",
  ]);
  assert.deepEqual(lines.map((line) => line.slice(24)), [
    "Authorization: Bearer ***",
    '{"json":"***","token":"***"}',
    "url https://h/?q=***&password=***",
    "base64 ***",
    "-----BEGIN PRIVATE KEY-----",
    "***",
    "***",
    "-----END PRIVATE KEY-----",
    "coloured ***",
    "shell *** toml ***",
    "file ***",
    "END",
  ]);
  const { env } = await project.ok<{ readonly env: object }>([
    "inspect",
    "web",
  ]);
  assert.deepEqual(env, {
    DB_PASSWORD: "***",
    PIN_TOKEN: "***",
    DATABASE_URL: "postgres://shop:***@db/shop",
  });
}

async function checkFiles({ home: { paths } }: Taskmux): Promise<void> {
  const log = await readIfThere(`${paths.home}/projects/vault/logs/web.log`);
  for (const secret of [SECRETS.shell, SECRETS.file, SECRETS.keyEnd]) {
    assert(log.includes(secret), secret);
  }
  const own = [
    paths.daemonLog,
    paths.keeperLog,
    paths.database,
    `${paths.database}-wal`,
    `${paths.home}/events.jsonl`,
  ];
  for (const path of own) {
    const text = await readIfThere(path);
    // What stands in the project's file may stand in ours: the command line of a run.
    holdsNone(path, text.replaceAll(SECRETS.command, ""));
  }
}

async function checkFollowed({ project }: Vault): Promise<void> {
  for (const line of ["logs -f -n 50", "logs web -f -n 50 --json"]) {
    await using reader = new LineReader(project.spawn(line.split(" ")));
    await until(() => reader.lines.some((each) => each.includes("END")));
    holdsNone(line, reader.lines.join("\n"));
    assert(reader.lines.some((each) => each.includes("***")));
  }
  await using revealed = new LineReader(
    project.spawn("logs web -f -n 50 --reveal".split(" ")),
  );
  await until(() => revealed.lines.some((each) => GIVEAWAY.test(each)));
}

async function checkTerminal({ taskmux, project }: Vault): Promise<void> {
  for (const line of ["logs web", "logs -n all"]) {
    await using terminal = openTerminal(
      taskmux.home,
      line.split(" "),
      project.folder,
    );
    assert.equal(await terminal.ended(), 0);
    // Colours stay, also around what is hidden.
    assert(terminal.text.includes("\x1b[31mcoloured ***"), terminal.text);
    holdsNone(line, terminal.text);
  }
}

Deno.test("events tell nothing that a probe printed, also without a daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "probed"
[tasks.sick]
command = "exec sleep 1000"
env = { PROBE_TOKEN = "${SECRETS.toml}" }
health_check = "echo sent $PROBE_TOKEN; exit 1"
health_interval = 0.1
boot_grace = 0
`);
  await project.ok(["start"]);
  await project.whenEvent("health_check_failed", "sick");
  const lines = ["events", "events --all", "events --session probed"];
  const forms = lines.flatMap((line) => [line, `${line} --json`]);
  const check = async () => {
    for (const form of forms) {
      const { code, stdout } = await project.run(form.split(" "));
      assert.equal(code, 0);
      assert.match(stdout, /sent \*\*\*/, form);
      holdsNone(form, stdout);
    }
  };
  await check();
  await taskmux.ok(["daemon", "stop"]);
  await check();
  const { stdout } = await project.run(["events", "--reveal"]);
  assert.match(stdout, GIVEAWAY);
});

Deno.test("a value that is new, or was there before, is a secret as well", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "changes"
env_file = ".env"
[tasks.web]
command = 'echo "is $API_TOKEN"; exec sleep 1000'
`);
  await project.file(".env", "API_TOKEN=first-hunter2-value\n");
  await project.ok(["start"]);
  await until(async () => (await project.log("web")).length === 1);
  await project.replaceFile(".env", "API_TOKEN=other-hunter2-text\n");
  await using reader = new LineReader(project.spawn(["logs", "-f"]));
  await reader.atLeast(1);
  await project.ok(["restart", "web"]);
  await until(async () => (await project.log("web")).length === 2);
  const { stdout } = await project.run(["logs", "web"]);
  assert.equal(stdout.match(/is \*\*\*/g)?.length, 2);
  holdsNone("logs", stdout);
  await using client = await connect(taskmux.home.paths.daemonSocket, {
    manner: { reveal: true },
  });
  const scope = { config: project.config };
  const told = await client?.call("project.secrets", { scope });
  assert.deepEqual(told?.values.filter((value) => GIVEAWAY.test(value)), [
    "first-hunter2-value",
    "other-hunter2-text",
  ]);
});

Deno.test("a secret is not cut in two before it is known as one", async () => {
  const secret = "Zq9fKe7dWc5bVa4h3g21";
  // Across the ends of what an error, a reason and an explanation quote.
  const across = [500, 300, 200].map((at) => "_".repeat(at - 10) + "$A_TOKEN");
  await using taskmux = await testTaskmux({ env: { A_TOKEN: secret } });
  const project = await taskmux.project(`
name = "cut"
[tasks.job]
command = '''for line in ${
    across.join(" ")
  }; do echo "error $line"; done; exit 3'''
restart_policy = "no"
[tasks.sick]
command = "exec sleep 1000"
health_check = '''echo "${across.at(-1)}"; exit 1'''
boot_grace = 0
health_interval = 0.05
health_retries = 1
restart_policy = "no"
`);
  await project.run(["start"]);
  await project.when("job", "failed");
  await project.when("sick", "unhealthy");
  const answers = [
    await project.run(["wait", "job", "--json"]),
    await project.run(["wait", "sick", "--json"]),
    await project.run(["why", "job", "--json"]),
    await project.run(["why", "sick", "--json"]),
    await project.run(["status", "--json"]),
    await project.run(["events", "--json"]),
  ];
  await project.run(["daemon", "stop"]);
  answers.push(await project.run(["why", "job", "--json"]));
  answers.forEach(({ stdout }, at) => {
    assert.match(stdout, /_{100}/, `answer ${at} quotes something`);
    assert.doesNotMatch(stdout, /Zq9/, `answer ${at}`);
  });
});
