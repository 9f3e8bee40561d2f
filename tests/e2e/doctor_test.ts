import assert from "node:assert/strict";
import { FAULTS, pictureOf } from "../support/state_faults.ts";
import type { TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";

const WEB = 'name = "web"\n[tasks.web]\ncommand = "exec sleep 1000"\n';

/** Longest time of one run, whatever hangs, on a loaded machine. */
const LIMIT_MS = 30_000;

interface Finding {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly fix: string | null;
}

interface Report {
  readonly ok: boolean;
  readonly checks: readonly Finding[];
  readonly summary: Readonly<Record<Finding["status"], number>>;
}

/** Runs it, and checks what every answer has. */
async function doctor(where: Taskmux | TestProject): Promise<Report> {
  const startedAt = performance.now();
  const run = await where.run(["doctor", "--json"]);
  assert(performance.now() - startedAt < LIMIT_MS);
  const report = run.json() as unknown as Report;
  const { ok, checks, summary } = report;
  const count = (status: Finding["status"]): number =>
    checks.filter((check) => check.status === status).length;
  for (const status of ["ok", "warn", "fail"] as const) {
    assert.equal(summary[status], count(status));
  }
  assert.equal(ok, summary.fail === 0);
  assert.equal(run.code, ok ? 0 : 1);
  for (const { name, status, detail, fix } of checks) {
    assert.match(name, /^[a-z_]+$/);
    assert.notEqual(detail, "");
    if (status === "fail") assert.match(fix ?? "", /^\S+ \S/, name);
  }
  return report;
}

/** The findings that are not ok, as `name: detail => fix`. */
function troubles({ checks }: Report): string[] {
  return checks.filter(({ status }) => status !== "ok").map((check) =>
    `${check.status} ${check.name}: ${check.detail} => ${check.fix}`
  );
}

Deno.test("doctor on a cold machine starts nothing, writes nothing and finds nothing wrong", async () => {
  await using taskmux = await testTaskmux({ hostConfig: null });
  const report = await doctor(taskmux);
  assert.deepEqual(troubles(report), []);
  assert.throws(() => Deno.statSync(taskmux.home.home), Deno.errors.NotFound);
  assert.deepEqual(await taskmux.processes(), []);
});

Deno.test("doctor with a daemon finds everything in order, and tells so in words", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WEB);
  await Deno.chmod(taskmux.home.paths.hostConfig, 0o600);
  await project.ok(["start"]);
  const report = await doctor(project);
  assert.deepEqual(troubles(report), []);
  for (const name of ["disk", "api_port", "leftovers", "keeper", "database"]) {
    assert(report.checks.some((check) => check.name === name), name);
  }
  const { code, stdout, stderr } = await project.run(["doctor"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.match(stdout, /^✓ deno +Deno \d/);
  assert.match(stdout, /Everything is in order\n$/);
});

Deno.test("doctor tells each trouble of the state folder and of projects with what to type", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WEB);
  const broken = await taskmux.project(WEB.replace('"web"', '"broken"'), "b");
  const gone = await taskmux.project(WEB.replace('"web"', '"gone"'), "g");
  for (const each of [project, broken, gone]) {
    await each.ok(["daemon", "register"]);
  }
  await taskmux.ok(["daemon", "stop"]);
  await broken.write("[tasks");
  await Deno.remove(gone.config);
  await project.write(`${WEB}cwd = "nowhere"\n`);
  const { home, paths } = taskmux.home;
  await Deno.writeTextFile(paths.hostConfig, 'api_port = "none"\n');
  await Deno.writeTextFile(`${paths.registry}.corrupt-20261120T100000000Z`, "");
  await Deno.chmod(home, 0o755);
  await Deno.chmod(paths.registry, 0o644);
  FAULTS["garbage"]!(paths.database);
  FAULTS["a pipe"]!(paths.eventsMirror);
  const before = pictureOf(home);
  const report = await doctor(project);
  assert.deepEqual(pictureOf(home), before);
  const found = troubles(report);
  for (
    const expected of [
      `warn home: ${home} is open to other users => chmod 700 ${home}`,
      `warn files: ${paths.registry} is open to other users => chmod 600 ${paths.registry}`,
      `fail files: ${paths.eventsMirror} is no file but a pipe => taskmux daemon start`,
      /^fail settings: .*api_port.* => "\$\{EDITOR:-vi\}" /,
      /^fail database: .*not a database => taskmux daemon start$/,
      /^warn projects: broken: .* => taskmux check --config /,
      /^warn projects: gone: .* => taskmux daemon unregister gone$/,
      /^warn set_aside: .*registry\.json\.corrupt-20261120T100000000Z => rm -r /,
      /^fail project: web: .*nowhere.* => taskmux check$/,
    ]
  ) {
    const isFound = typeof expected === "string"
      ? found.includes(expected)
      : found.some((text) => expected.test(text));
    assert(isFound, `${expected} in\n${found.join("\n")}`);
  }
  assert.equal(found.length, 9, found.join("\n"));
  // What it tells to type does it.
  await Deno.writeTextFile(paths.hostConfig, "api_port = 0\n");
  await taskmux.ok(["daemon", "start"]);
  await taskmux.ok(["daemon", "unregister", "gone"]);
  const after = troubles(await doctor(taskmux)).join("\n");
  assert.doesNotMatch(after, /^fail|gone|chmod/m);
});

Deno.test("doctor ends soon and tells what to type when the daemon hangs", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WEB);
  await project.ok(["start"]);
  const pid = await taskmux.daemonPid();
  assert(pid !== null);
  Deno.kill(pid, "SIGSTOP");
  try {
    const found = troubles(await doctor(project));
    assert(
      found.some((text) =>
        /^fail daemon: .*does not answer/.test(text) &&
        text.endsWith(`=> kill -9 ${pid}; taskmux daemon start`)
      ),
      found.join("\n"),
    );
    // Nor does a pipe in the place of the file that tells who it is.
    FAULTS["a pipe"]!(taskmux.home.paths.daemonInfo);
    await doctor(project);
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
});

Deno.test("doctor tells that tasks run without a daemon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(WEB);
  await project.ok(["start"]);
  const pid = await taskmux.daemonPid();
  assert(pid !== null);
  Deno.kill(pid, "SIGKILL");
  const report = await doctor(project);
  assert.deepEqual(troubles(report), [
    'warn keeper: 1 task runs without a daemon to watch over them; "taskmux daemon start" takes them over again => taskmux daemon start',
  ]);
});
