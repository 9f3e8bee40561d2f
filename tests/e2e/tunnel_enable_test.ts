/**
 * Public names set up for good: nothing is changed before every check has passed, what was done is told, saying it again
 * completes it, and it can be taken back. One daemon, against a fake of Cloudflare.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { FakeCloudflare } from "../support/fake_cloudflare.ts";
import type { FakeToken } from "../support/fake_cloudflare/world.ts";
import { askPublic } from "../support/fake_edge/public_client.ts";
import { readBelow } from "../support/files.ts";
import type { TestProject } from "../support/project.ts";
import { openTerminal } from "../support/terminal.ts";
import { PROXY_CONFIG, readIfThere, type Taskmux } from "../support/taskmux.ts";
import { PUBLIC_SERVER, tunnelledTaskmux } from "../support/tunnelled.ts";
import { until } from "../support/until.ts";

const SHOP = `# The shop.
name = "wizard"

[tasks.api] # what the mobile app talks to
host = "api"
command = "${PUBLIC_SERVER}"

[tasks.web]
host = "web"
command = "sleep 600"
auto_start = false

[tasks.worker]
command = "sleep 600"
auto_start = false
`;

type Enabled = Result<"tunnel.enable">;
type Disabled = Result<"tunnel.disable">;

/** A shop, a Cloudflare, and a token for it. */
interface World {
  readonly cloudflare: FakeCloudflare;
  readonly taskmux: Taskmux;
  readonly project: TestProject;
  readonly token: FakeToken;
}

Deno.test("tunnel enable and disable", async (t) => {
  await using cloudflare = await FakeCloudflare.open({
    zones: ["example.com"],
  });
  await using of = await tunnelledTaskmux({
    edge: cloudflare.edge,
    env: { TASKMUX_CLOUDFLARE_API: cloudflare.base },
    hostConfig: `# Mine.\n${PROXY_CONFIG}`,
    expectedErrors: /the token is disabled/,
  });
  const { taskmux } = of;
  const project = await taskmux.project(SHOP);
  await project.ok(["start"]);
  const token = cloudflare.token();
  const world = { cloudflare, taskmux, project, token };
  await t.step("what was asked wrongly", () => wrongQuestions(world));
  await t.step("a failed preflight writes nothing", () => preflight(world));
  await t.step("a dry run writes nothing", () => dryRun(world));
  await t.step("a person is asked, and may leave", () => wizard(world));
  await t.step("what fails half-way is completed", () => halfWay(world));
  await t.step("enable, as the README has it", () => enable(world));
  await t.step("another task; what is done stays", () => second(world));
  await t.step("a person is asked again", () => again(world));
  await t.step("settings by calls", () => byCalls(world));
  await t.step("a name of another project", () => elsewhere(world));
  await t.step("disable one, then the rest", () => disable(world));
  await t.step("the token is nowhere", () => secrecy(world));
});

/** Bytes and modes of every file that could be changed. */
async function files({ taskmux, project }: World): Promise<unknown[]> {
  const { hostConfig } = taskmux.home.paths;
  return await Promise.all(
    [project.config, hostConfig].map(async (path) => [
      await Deno.readTextFile(path),
      (await Deno.stat(path)).mode,
    ]),
  );
}

function args({ token }: World, ...more: string[]): string[] {
  return ["tunnel", "enable", "--token", token.value, ...more];
}

async function wrongQuestions(world: World): Promise<void> {
  const { project, cloudflare } = world;
  const before = await files(world);
  const wrong: [string, string[], Record<string, unknown>?][] = [
    ["E200", ["--task", "apj", "--public-hostname", "apj=a.example.com"]],
    ["E500", ["--task", "api"], { field: "public_hostname" }],
    ["E500", ["--public-hostname", "api"], { field: "public_hostname" }],
    ["E500", ["--public-hostname", "api=nodots"], { field: "public_hostname" }],
    ["E700", ["--public-hostname", "worker=w.example.com"], { field: "task" }],
    ["E500", [], { field: "task" }],
    ["E742", [
      "--public-hostname",
      "api=a.example.com",
      "--public-hostname",
      "web=A.example.com.",
    ]],
  ];
  for (const [code, options, details = {}] of wrong) {
    const answer = await project.fails(code as "E200", args(world, ...options));
    for (const [key, value] of Object.entries(details)) {
      assert.equal(answer.details?.[key], value, JSON.stringify(answer));
    }
    assert.notEqual(answer.hint, undefined, JSON.stringify(answer));
  }
  assert.deepEqual(await files(world), before);
  assert.deepEqual(cloudflare.journal, []);
}

async function preflight(world: World): Promise<void> {
  const { project, cloudflare } = world;
  const before = await files(world);
  cloudflare.addRecord({
    name: "api.example.com",
    content: "1.2.3.4",
    type: "A",
  });
  const limited = cloudflare.token({ scopes: ["dns:edit"] });
  const answer = await project.fails<Enabled>(
    "E740",
    args(
      { ...world, token: limited },
      "--task",
      "api",
      "--public-hostname",
      "api=api.example.com",
    ),
  );
  const failed = answer.preflight.checks.filter(({ ok }) => !ok);
  assert.deepEqual(failed.map(({ name }) => name).toSorted(), [
    "dns:api.example.com",
    "scope_tunnel",
  ]);
  for (const { fix } of failed) assert.notEqual(fix, null);
  assert.deepEqual(answer.done, []);
  assert.deepEqual(cloudflare.changes, []);
  assert.deepEqual(await files(world), before);
  assert(!JSON.stringify(answer).includes(limited.value));
  const told = await project.run([
    ...args(world, "--public-hostname", "api=api.example.com"),
  ]);
  assert.equal(told.code, 1);
  assert.match(told.stdout, /FAIL dns:api.example.com: [^\n]+\n {5}fix: /);
  assert.match(told.stderr, /Error \[E740\]/);
  cloudflare.world.records.length = 0;
}

async function dryRun(world: World): Promise<void> {
  const { project, cloudflare } = world;
  const before = await files(world);
  const answer = await project.ok<Enabled>(args(
    world,
    "--public-hostname",
    "api=api.example.com",
    "--dry-run",
  ));
  assert.equal(answer.plan.length, 4);
  assert.deepEqual(answer.done, []);
  assert.deepEqual(cloudflare.changes, []);
  assert.deepEqual(await files(world), before);
}

async function wizard(world: World): Promise<void> {
  const { taskmux, project, token } = world;
  const before = await files(world);
  const command = ["tunnel", "enable"];
  await using left = openTerminal(taskmux.home, command, project.folder);
  await left.shows("API token (is not shown)");
  await left.type("\x03");
  assert.equal(await left.ended(), 130);

  await using terminal = openTerminal(taskmux.home, command, project.folder);
  await terminal.shows("Cloudflare Tunnel > Edit");
  await terminal.shows("API token (is not shown)");
  await terminal.type(`${token.value}\r`);
  await terminal.shows("Which tasks");
  await terminal.type(" \r");
  await terminal.shows("api.example.com");
  await terminal.type("\r");
  await terminal.shows("Proceed?");
  assert(terminal.text.includes("which only you can read"));
  await terminal.type("n");
  assert.equal(await terminal.ended(), 130);
  assert(!terminal.text.includes(token.value));
  assert.match(terminal.text, /nothing was changed/);
  assert.deepEqual(await files(world), before);
}

/** Settings, file and consent are there, the tunnel is not: saying it again sets that up, too. */
async function halfWay(world: World): Promise<void> {
  const { project, cloudflare } = world;
  cloudflare.fail({ method: "PUT", path: /\/configurations$/ }, {
    status: 403,
    body: {
      success: false,
      errors: [{ code: 10000, message: "Authentication error" }],
      result: null,
    },
  });
  const options = ["--task", "api", "--public-hostname", "api=API.example.com"];
  const answer = await project.fails<Enabled>("E741", args(world, ...options));
  assert.equal(answer.preflight.ok, true);
  assert.deepEqual(answer.done, answer.plan);
  assert.equal(answer.tunnels[0]?.state, "failing");
  cloudflare.heal();
  const again = await project.ok<Enabled>(["tunnel", "enable"]);
  assert.deepEqual([again.done, again.tunnels[0]?.state], [[], "open"]);
  await project.ok(["tunnel", "disable"]);
  assert.equal(await Deno.readTextFile(project.config), SHOP);
}

async function enable(world: World): Promise<void> {
  const { project, cloudflare, taskmux, token } = world;
  const options = ["--task", "api", "--public-hostname", "api=API.example.com"];
  // Who is let in stays when the name becomes another one.
  await project.ok([
    "tunnel",
    "up",
    "api",
    ...["--via", "noop", "--hostname", "a.example.com", "--auth", "basic"],
  ]);
  const moved = await project.ok<Enabled>(args(world, ...options));
  assert.equal(moved.tunnels[0]?.access, "basic");
  await project.ok(["tunnel", "up", "api", "--auth", "open"]);
  const answer = await project.ok<Enabled>(args(world, ...options));
  assert.deepEqual(answer.done, []);
  assert.equal(answer.public_urls["api"], "https://api.example.com");
  assert.equal(answer.tunnel_name, "taskmux-wizard");
  assert.equal(answer.tunnel_id, cloudflare.tunnels[0]?.id);
  assert.equal(answer.tunnels[0]?.state, "open");
  assert.match(answer.warnings[0]!, /--token-stdin/);
  const [text, host] = await Promise.all([
    Deno.readTextFile(project.config),
    Deno.readTextFile(taskmux.home.paths.hostConfig),
  ]);
  assert(text.includes('tunnel = "cloudflare"'));
  assert(text.includes('public_hostname = "api.example.com"'));
  assert(text.startsWith("# The shop.\n"));
  assert(text.includes("[tasks.api] # what the mobile app talks to"));
  assert(host.startsWith("# Mine.\n"));
  assert(host.includes(token.value));
  assert(host.includes(`account_id = "${cloudflare.account.id}"`));
  const { mode } = await Deno.stat(taskmux.home.paths.hostConfig);
  assert.equal(mode! & 0o777, 0o600);
  const { status } = await askPublic(
    cloudflare.edge,
    "https://api.example.com",
  );
  assert.equal(status, 203);
  const { config_changed: isChanged } = await project.task("api") as Record<
    string,
    unknown
  >;
  assert.notEqual(isChanged, true);

  const changes = cloudflare.changes.length;
  const again = await project.ok<Enabled>(["tunnel", "enable"]);
  assert.deepEqual(again.done, []);
  assert.equal(again.tunnels[0]?.state, "open");
  assert.equal(cloudflare.changes.length, changes);
  assert.equal(await Deno.readTextFile(project.config), text);
}

async function second(world: World): Promise<void> {
  const { project, cloudflare } = world;
  const answer = await project.ok<Enabled>([
    "tunnel",
    "enable",
    "--public-hostname",
    "web=web.example.com",
    "--zone",
    cloudflare.zone.id,
  ]);
  assert.equal(answer.tunnels[0]?.state, "waiting");
  assert.equal(answer.public_urls["web"], "https://web.example.com");
  const text = await Deno.readTextFile(project.config);
  assert(text.includes(`zone_id = "${cloudflare.zone.id}"`));
  const { preflight } = await project.ok<Result<"tunnel.test">>([
    "tunnel",
    "test",
  ]);
  assert(preflight.checks.some(({ name }) => name === "dns:web.example.com"));
  const config = await project.ok<Result<"tunnel.config">>([
    "tunnel",
    "config",
  ]);
  assert.equal(config.cloudflared_in_path, true);
  assert.equal(config.effective.zone_id.source, "project");
  assert.equal(config.effective.api_token.source, "global");
  assert.deepEqual(config.tasks.map(({ name }) => name), ["api", "web"]);
}

/** What is set already is offered, and can be agreed to. */
async function again({ taskmux, project, token }: World): Promise<void> {
  const text = await Deno.readTextFile(project.config);
  const command = ["tunnel", "enable"];
  await using terminal = openTerminal(taskmux.home, command, project.folder);
  await terminal.shows("Which Cloudflare API token?");
  await terminal.type("\r");
  await terminal.shows("Which tasks");
  await terminal.type("\r");
  await terminal.shows('Public name of task "api"');
  await terminal.type("\r");
  await terminal.shows('Public name of task "web"');
  await terminal.type("\r");
  await terminal.shows("it is so already");
  await terminal.type("y");
  assert.equal(await terminal.ended(), 0);
  assert.match(terminal.text, /https:\/\/api\.example\.com {2}leads to/);
  assert(!terminal.text.includes(token.value));
  assert.equal(await Deno.readTextFile(project.config), text);
}

/** What clients without a command line ask. */
async function byCalls({ taskmux, project, token }: World): Promise<void> {
  const scope = { config: project.config };
  const { updated } = await taskmux.call("tunnel.config_set", {
    scope,
    where: "project",
    values: { tunnel_name: "mine" },
  });
  assert.deepEqual(updated, { tunnel_name: "mine" });
  const config = await taskmux.call("tunnel.config", { scope });
  assert.deepEqual(config.effective.tunnel_name, {
    value: "mine",
    source: "project",
  });
  assert.equal(config.tasks[0]?.public_url, "https://api.example.com");
  assert(!JSON.stringify(config).includes(token.value));
  const text = await Deno.readTextFile(project.config);
  await project.replace(text.replace('tunnel_name = "mine"\n', ""));
}

/** A name leads to one task of this machine. */
async function elsewhere(world: World): Promise<void> {
  const { cloudflare, taskmux, token } = world;
  const toml = SHOP.replace('"wizard"', '"blog"');
  const other = await taskmux.project(toml, "blog");
  const changes = cloudflare.changes.length;
  const { details } = await other.fails("E742", [
    "tunnel",
    "enable",
    "--public-hostname",
    "web=api.example.com",
  ], { env: { CLOUDFLARE_API_TOKEN: token.value } });
  assert.deepEqual([details?.["session"], details?.["task"]], [
    "wizard",
    "api",
  ]);
  assert.equal(await Deno.readTextFile(other.config), toml);
  assert.equal(cloudflare.changes.length, changes);
}

async function disable(world: World): Promise<void> {
  const { project, cloudflare, token } = world;
  const foreign = cloudflare.addRecord({
    name: "mail.example.com",
    content: "1.2.3.4",
    type: "A",
  });
  const one = await project.ok<Disabled>(["tunnel", "disable", "web"]);
  assert.deepEqual(one.tasks_disabled, ["web"]);
  assert(!(await Deno.readTextFile(project.config)).includes("web.example"));

  token.status = "disabled";
  const unreached = await project.fails<Disabled>("E741", [
    "tunnel",
    "disable",
    "--prune",
  ]);
  assert.deepEqual(unreached.tasks_disabled, ["api"]);
  assert.equal(unreached.left.length, 1);
  assert.equal(await Deno.readTextFile(project.config), SHOP);
  assert.equal(
    (await askPublic(cloudflare.edge, "https://api.example.com")).status >= 500,
    true,
  );
  token.status = "active";
  const rest = await project.ok<Disabled>(["tunnel", "disable", "--prune"]);
  assert.deepEqual(rest.tasks_disabled, []);
  assert.deepEqual(cloudflare.tunnels, []);
  assert.deepEqual(cloudflare.records.map(({ id }) => id), [foreign.id]);
  await until(async () =>
    (await project.ok<Result<"tunnel.status">>(["tunnel", "status"])).count ===
      0
  );
}

/** Only the host's settings, which are the owner's only, may hold it. */
async function secrecy({ taskmux, project, token }: World): Promise<void> {
  const { home, paths } = taskmux.home;
  for await (const { path, text } of readBelow(home)) {
    if (path === paths.hostConfig) continue;
    assert(!text.includes(token.value), path);
  }
  assert(!(await readIfThere(project.config)).includes(token.value));
  for (const { command } of await taskmux.processes()) {
    const [words = ""] = command.split(" TASKMUX_HOME=");
    assert(!words.includes(token.value), words);
  }
}
