/**
 * The commands `tunnel up`, `down`, `status`, `link` and `logs`, as people and programs call them. One daemon; public names
 * by a fake cloudflared.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { FakeEdge } from "../support/fake_edge.ts";
import { askPublic } from "../support/fake_edge/public_client.ts";
import type { TestProject } from "../support/project.ts";
import type { Taskmux } from "../support/taskmux.ts";
import { PUBLIC_SERVER, tunnelledTaskmux } from "../support/tunnelled.ts";
import { until } from "../support/until.ts";

const SHOP = `name = "shop"
[tasks.web]
host = "web"
command = "${PUBLIC_SERVER}"
[tasks.idle]
host = "idle"
command = "sleep 600"
[tasks.later]
host = "later"
command = "sleep 600"
auto_start = false
`;

type Opened = Result<"tunnel.up">;
type Listed = Result<"tunnel.status">;

interface World {
  readonly edge: FakeEdge;
  readonly taskmux: Taskmux;
  readonly project: TestProject;
}

Deno.test("tunnel commands", async (t) => {
  await using edge = await FakeEdge.open();
  await using of = await tunnelledTaskmux({ edge });
  const { taskmux } = of;
  const project = await taskmux.project(SHOP);
  const world = { edge, taskmux, project };
  await t.step("without a daemon", () => withoutDaemon(world));
  await project.ok(["start"]);
  await t.step("for people", () => forPeople(world));
  await t.step("for programs", () => forPrograms(world));
  await t.step("a password is read, never an argument", () => password(world));
  await t.step("requests and programs have logs", () => logs(world));
  await t.step("wrong words", () => wrongWords(world));
  await t.step("remedies", () => remedies(world));
  await t.step("Ctrl-C gives an opening up", () => interrupted(world));
  await t.step("from disk again", () => fromDisk(world));
});

async function withoutDaemon({ project, taskmux }: World): Promise<void> {
  const { stdout, code } = await project.run(["tunnel", "status"]);
  assert.deepEqual([stdout, code], ["No tunnels.\n", 0]);
  const all = await project.ok<Listed>(["tunnel", "list", "--all"]);
  assert.deepEqual(all.tunnels, []);
  const read = await project.ok<{ lines: unknown[] }>(["tunnel", "logs"]);
  assert.deepEqual(read.lines, []);
  const config = await project.ok(["tunnel", "config"]);
  assert.equal(config["config_file_mode_ok"], true);
  await project.fails("E600", ["tunnel", "link", "web"]);
  assert.equal(await taskmux.daemonPid(), null);
}

async function forPeople({ project, edge }: World): Promise<void> {
  const opened = await project.run(["tunnel", "up", "web", "--expires", "2h"]);
  assert.equal(opened.code, 0, opened.stderr);
  const [url, ...rest] = opened.stdout.trimEnd().split("\n");
  assert.match(url!, /^https:\/\/fake-[a-z-]+\.trycloudflare\.com$/);
  assert.match(rest.join("\n"), /Public: .*everybody/);
  assert.match(rest.join("\n"), /Closes by itself in (2h|1h 59m)/);
  assert.match(rest.at(-1)!, /taskmux tunnel down web/);
  assert.match(opened.stderr, /Warning: Everybody on the internet/);
  assert.equal((await askPublic(edge, url!)).status, 203);
  const { stdout } = await project.run(["tunnel", "status"]);
  assert.match(stdout, /web +cloudflare-quick +open +https:.*everybody.* 1\b/);
  const shown = await project.run(["status"]);
  assert.match(shown.stdout, /tunnel-web .* cloudflared +tunnel of web\n/);
  const closed = await project.run(["tunnel", "down"]);
  assert.equal(closed.stdout, 'Closed: nobody outside reaches "web" now\n');
  assert.equal((await project.run(["tunnel", "down"])).stdout, "No tunnels.\n");
}

async function forPrograms({ project, edge }: World): Promise<void> {
  const opened = await project.ok<Opened>([
    "tunnel",
    "up",
    "web",
    "--auth",
    "link",
  ]);
  assert.equal(opened.tunnel.public, true);
  assert.match(opened.link!, /^https:\/\/[^/]+\/\.taskmux\/link\/\S{20,}$/);
  assert.equal((await askPublic(edge, opened.public_url)).status, 403);
  const more = await project.ok<Result<"tunnel.link">>([
    "tunnel",
    "link",
    "web",
  ]);
  assert.notEqual(more.link, opened.link);
  const { tunnels } = await project.ok<Listed>(["tunnel", "status", "--all"]);
  assert.deepEqual(
    tunnels.map(({ session, task, access }) => [session, task, access]),
    [["shop", "web", "link"]],
  );
  assert(!JSON.stringify(tunnels).includes("/.taskmux/link/"));
}

async function password({ project, edge, taskmux }: World): Promise<void> {
  const child = project.spawn(
    ["tunnel", "up", "web", "--password-stdin", "--json"],
    { stdin: "piped" },
  );
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("correct horse\n"));
  await writer.close();
  const { stdout } = await child.output();
  const opened = JSON.parse(new TextDecoder().decode(stdout)) as Opened;
  assert.deepEqual([opened.ok, opened.action, opened.user, opened.password], [
    true,
    "changed",
    "taskmux",
    null,
  ], JSON.stringify(opened));
  const told = await project.ok<
    { events: { event: string; access?: string }[] }
  >(["events"]);
  assert.deepEqual(
    told.events.flatMap(({ event, access }) =>
      event === "tunnel_opened" ? [access] : []
    ),
    // By hand, as a link, and now by password, with no end of it in between.
    ["open", "link", "basic"],
  );
  const authorization = `Basic ${btoa("taskmux:correct horse")}`;
  const { status } = await askPublic(edge, opened.public_url, {
    headers: { authorization },
  });
  assert.equal(status, 203);
  for (const { command } of await taskmux.processes()) {
    assert(!command.includes("correct horse"), command);
  }
}

async function logs({ project }: World): Promise<void> {
  const { requests } = await project.ok<
    { requests: Record<string, unknown>[] }
  >(
    ["tunnel", "logs", "web", "--requests"],
  );
  assert.deepEqual(
    requests.map(({ method, path, status, verdict }) => [
      method,
      path,
      status,
      verdict,
    ]),
    [
      ["GET", "/", 203, "passed"],
      ["GET", "/", 403, "refused"],
      ["GET", "/", 203, "passed"],
    ],
  );
  const [first] = requests;
  assert.equal(typeof first?.["duration_ms"], "number");
  assert.equal(first?.["visitor"], "203.0.113.7");
  const human = await project.run(["tunnel", "logs", "--requests", "-n", "1"]);
  assert.match(human.stdout, /GET \/ 203 passed \d+ms 203\.0\.113\.7/);
  const matched = await project.ok<{ requests: unknown[] }>(
    ["tunnel", "logs", "--requests", "-g", "refused"],
  );
  assert.equal(matched.requests.length, 1);

  await project.ok(["tunnel", "down", "web"]);
  for (const name of ["web", "cloudflare-quick", "tunnel-web"]) {
    const { lines } = await project.ok<{ lines: { task: string }[] }>(
      ["tunnel", "logs", name],
    );
    assert(lines.length > 0, name);
    assert.equal(lines[0]?.task, "tunnel-web");
  }
  const other = await project.ok<{ lines: unknown[] }>(
    ["tunnel", "logs", "idle"],
  );
  assert.deepEqual(other.lines, []);
  await follows(project);
}

async function follows(project: TestProject): Promise<void> {
  const child = project.spawn(["tunnel", "logs", "web", "-f", "--json"]);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  assert.equal(JSON.parse(value.split("\n")[0]!).task, "tunnel-web");
  await reader.cancel();
  child.kill("SIGINT");
  await child.stderr.cancel();
  await child.status;
}

/** Each remedy is a line that can be typed. */
async function remedies({ project }: World): Promise<void> {
  const expected: [string, string[], string][] = [
    ["E743", ["link", "web"], "taskmux tunnel up web --auth link"],
    ["E743", ["down", "web"], "taskmux tunnel status"],
    [
      "E500",
      ["up", "web", "--tailnet-only"],
      "taskmux tunnel up web --via tailscale --tailnet-only",
    ],
    [
      "E500",
      ["up", "web", "--via", "cloudflare"],
      "taskmux tunnel up web --via cloudflare --hostname web.example.com",
    ],
    [
      "E740",
      ["up", "web", "--via", "noop"],
      "taskmux tunnel up web --via noop --hostname NAME",
    ],
    [
      "E202",
      ["up", "later"],
      "taskmux start later && taskmux tunnel up later",
    ],
    [
      "E500",
      ["enable", "--task", "web"],
      "taskmux tunnel enable --backend cloudflare --task web --public-hostname web=web.example.com",
    ],
  ];
  for (const [code, args, wanted] of expected) {
    const { hint } = await project.fails(code as "E200", ["tunnel", ...args]);
    assert.equal(hint, wanted);
  }
  const lost = await project.run([
    "tunnel",
    "test",
    "web",
    "--via",
    "cloudflare",
  ]);
  assert.match(
    lost.stdout,
    /set the variable CLOUDFLARE_API_TOKEN in the shell/,
  );
}

async function wrongWords({ project }: World): Promise<void> {
  const wrong: [string, string[]][] = [
    ["E200", ["up", "wbe"]],
    ["E500", ["up", "web", "--via", "frp"]],
    ["E500", ["up", "web", "--expires", "soon"]],
    ["E500", ["up", "web", "--tailnet-only"]],
    ["E500", ["up", "web", "--auth", "open", "--user", "me"]],
    ["E500", ["up", "web", "--password-stdin"]],
    ["E743", ["link", "web"]],
    ["E743", ["down", "web"]],
    ["E200", ["logs", "wbe"]],
    ["E500", ["config-set", "secret-without-key"]],
    ["E104", ["config-set", "--scope", "project", "tunnel.api_token=abc"]],
    ["E500", ["config-set", "--scope", "project", "zone=abc"]],
    ["E104", ["config-set", "zone_id=abc", "acount_id=abc"]],
  ];
  for (const [code, args] of wrong) {
    const { hint, error } = await project.fails(code as "E200", [
      "tunnel",
      ...args,
    ]);
    assert.notEqual(hint, undefined, args.join(" "));
    assert(!error.includes("secret-without-key"));
  }
}

/** A program that never comes up: its opening is given up by Ctrl-C. */
async function interrupted({ project, edge }: World): Promise<void> {
  edge.pause();
  const child = project.spawn(["tunnel", "up", "web", "--json"]);
  const states = async (): Promise<string[]> =>
    (await project.ok<Listed>(["tunnel", "status"])).tunnels
      .map(({ state }) => state);
  await until(async () => (await states()).includes("opening"));
  child.kill("SIGINT");
  const { code, stdout } = await child.output();
  const answer = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual([code, answer.error_code], [130, "E603"]);
  assert.deepEqual(await states(), []);
  edge.resume();
}

async function fromDisk({ project, taskmux }: World): Promise<void> {
  await project.ok(
    ["tunnel", "up", "web", "--via", "noop", "--hostname", "web.example.com"],
  );
  const changed = await project.ok<Opened>(
    ["tunnel", "up", "web", "--auth", "basic", "--expires", "1d"],
  );
  assert.deepEqual([changed.action, changed.tunnel.backend], [
    "changed",
    "noop",
  ]);
  assert.match(changed.password!, /^[a-z2-9]{20}$/);
  const pid = await taskmux.daemonPid();
  Deno.kill(pid!, "SIGKILL");
  await until(async () => await taskmux.daemonPid() === null);
  const { tunnels: [tunnel] } = await project.ok<Listed>(["tunnel", "status"]);
  assert.deepEqual(
    [tunnel?.state, tunnel?.public, tunnel?.public_url, tunnel?.reason],
    ["waiting", false, "https://web.example.com", "the daemon is not running"],
  );
  assert.equal(await taskmux.daemonPid(), null);
}
