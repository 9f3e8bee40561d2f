/**
 * Named tunnels of Cloudflare end to end: one program for all tasks, names that are taken, and faults at Cloudflare.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../src/contract/mod.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { FakeCloudflare } from "../../support/fake_cloudflare.ts";
import type { FakeToken } from "../../support/fake_cloudflare/world.ts";
import type { FakeEdge } from "../../support/fake_edge.ts";
import { readBelow } from "../../support/files.ts";
import type { TestProject } from "../../support/project.ts";
import { PROXY_CONFIG, type Taskmux } from "../../support/taskmux.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  type TunnelledTaskmux,
  tunnelledTaskmux,
} from "../../support/tunnelled.ts";
import { until } from "../../support/until.ts";

const shop = (name: string): string =>
  `name = "${name}"
[tasks.web]
host = "web"
command = "${PUBLIC_SERVER}"
stop_grace_period = 1
[tasks.api]
host = "api"
command = "${PUBLIC_SERVER}"
stop_grace_period = 1
`;

const WEB = "web.example.com";
const API = "api.example.com";

/** What the steps share. */
interface Scene {
  readonly of: TunnelledTaskmux;
  readonly taskmux: Taskmux;
  readonly one: TunnelledProject;
  readonly project: TestProject;
  readonly cloudflare: FakeCloudflare;
  readonly edge: FakeEdge;
  readonly token: FakeToken;
  readonly up: (
    task: string,
    hostname: string,
    env?: Record<string, string>,
  ) => Promise<Result<"tunnel.up">>;
  readonly refused: (
    code: string,
    opening: Promise<unknown>,
  ) => Promise<TaskmuxError>;
}

/** What Cloudflare refuses amid it is completed later. */
async function refusedAmid(
  { one, project, cloudflare, up, refused }: Scene,
): Promise<void> {
  cloudflare.fail({ method: "POST", path: "dns_records" }, {
    status: 400,
    body: { success: false, errors: [{ code: 9999, message: "not now" }] },
  });
  const error = await refused("E741", up("web", WEB));
  assert.match(error.message, /not now/);
  assert.equal((await one.tunnels()).size, 0);
  assert.equal((await project.status()).tasks.length, 2);
  assert.deepEqual(await one.events("web"), []);
}

/** Two tasks go through one program. */
async function oneProgram(
  { one, project, cloudflare, up }: Scene,
): Promise<void> {
  await up("web", WEB);
  assert.equal(cloudflare.tunnels.length, 1);
  const program = await project.pid("cloudflared");
  await up("api", API);
  assert.equal(await project.pid("cloudflared"), program);
  assert.equal((await one.told(`https://${WEB}/`)).task, "web");
  assert.equal((await one.told(`https://${API}/`)).task, "api");
  await one.down("api");
  assert.equal((await one.ask(`https://${API}/`)).status, 404);
  assert.equal((await one.told(`https://${WEB}/`)).task, "web");
  assert.equal(await project.pid("cloudflared"), program);
  assert.deepEqual(await one.events("web"), ["tunnel_opened"]);
}

/** A name has one holder. */
async function oneHolder(
  { of, cloudflare, refused }: Scene,
): Promise<void> {
  const two = await TunnelledProject.start(of, shop("two"), {
    folder: "two",
  });
  const changes = cloudflare.changes.length;
  const error = await refused(
    "E742",
    two.up({ task: "web", backend: "cloudflare", hostname: WEB }),
  );
  assert.match(error.message, /"web" of project "one"/);
  assert.equal(cloudflare.changes.length, changes);
  await two.project.ok(["stop"]);
}

/** A token that is revoked leaves what is open. */
async function revokedToken(
  { taskmux, one, cloudflare, token, up, refused }: Scene,
): Promise<void> {
  cloudflare.revoke(token);
  await refused("E740", up("api", API));
  assert.equal((await one.told(`https://${WEB}/`)).task, "web");
  assert.equal((await one.tunnels()).get("web")?.state, "open");
  assert.equal((await one.tunnels()).has("api"), false);
  assert.deepEqual(await one.events("web"), ["tunnel_opened"]);
  const next = cloudflare.token();
  await up("api", API, {
    ...taskmux.home.env,
    CLOUDFLARE_API_TOKEN: next.value,
  });
  assert.equal((await one.told(`https://${API}/`)).task, "api");
  token.status = "active";
}

/** A tunnel that is deleted there is made again. */
async function deletedTunnel({ one, cloudflare, edge }: Scene): Promise<void> {
  const [tunnel] = cloudflare.tunnels;
  tunnel!.deleted_at = new Date().toISOString();
  edge.cut(tunnel!);
  await one.when("web", ({ state }) => state === "failing");
  await one.when("web", ({ state }) => state === "open");
  await until(async () => (await one.ask(`https://${WEB}/`)).status === 203);
  await until(async () => (await one.ask(`https://${API}/`)).status === 203);
}

/** No secret is anywhere. */
async function noSecret(
  { cloudflare, taskmux, one, project, token }: Scene,
): Promise<void> {
  await project.ok(["restart", "web"]);
  await one.told(`https://${WEB}/`);
  const opened = await one.up({
    task: "web",
    access: "basic",
    password: "correct horse battery",
  });
  assert.equal(opened.action, "changed");
  assert.equal(opened.public_url, `https://${WEB}`);
  assert.equal(opened.password, null);
  assert.equal((await one.ask(`https://${WEB}/`)).status, 401);
  const { link } = await one.up({ task: "api", access: "link" });
  assert(link !== null && link.startsWith(`https://${API}/`));
  assert.equal((await one.ask(link)).status, 200);
  const { status, headers } = await one.ask(link, { method: "POST" });
  assert.equal(status, 303);
  const [cookie = ""] = headers["set-cookie"] ?? [];
  const session = /=([^;]+)/.exec(cookie)?.[1] ?? "?";
  assert(session.length > 20, cookie);
  const secrets = [
    token.value,
    "correct horse battery",
    ...cloudflare.world.tunnels.map(({ secret }) => secret),
    link.split(/[/=]/).at(-1) ?? "?",
    session,
  ];
  await checkSecrets(taskmux.home.home, secrets);
}

type Step = readonly [string, (scene: Scene) => Promise<void>];

/** In this order: each goes on from what the one before has left. */
const STEPS: readonly Step[] = [
  ["what Cloudflare refuses amid it is completed later", refusedAmid],
  ["two tasks go through one program", oneProgram],
  ["a name has one holder", oneHolder],
  ["a token that is revoked leaves what is open", revokedToken],
  ["a tunnel that is deleted there is made again", deletedTunnel],
  ["no secret is anywhere", noSecret],
];

Deno.test("named tunnels: one program, names of one's own, faults at Cloudflare", async (t) => {
  await using cloudflare = await FakeCloudflare.open();
  const { edge } = cloudflare;
  const token = cloudflare.token();
  await using of = await tunnelledTaskmux({
    edge,
    env: {
      TASKMUX_CLOUDFLARE_API: cloudflare.base,
      CLOUDFLARE_API_TOKEN: token.value,
    },
    hostConfig:
      `${PROXY_CONFIG}[tunnel.cloudflare]\naccount_id = "${cloudflare.account.id}"\n`,
  });
  const { taskmux } = of;
  const one = await TunnelledProject.start(of, shop("one"), { folder: "one" });
  const { project } = one;
  const up = (
    task: string,
    hostname: string,
    env = { ...taskmux.home.env },
  ): Promise<Result<"tunnel.up">> =>
    one.up({ task, backend: "cloudflare", hostname, env });
  const refused = async (
    code: string,
    opening: Promise<unknown>,
  ): Promise<TaskmuxError> => {
    const error = await opening.then(() => null, (error) => error);
    assert(error instanceof TaskmuxError, `${error}`);
    assert.equal(error.code, code, error.message);
    return error;
  };

  const scene: Scene = {
    of,
    taskmux,
    one,
    project,
    cloudflare,
    edge,
    token,
    up,
    refused,
  };
  for (const [name, work] of STEPS) {
    assert(await t.step(name, () => work(scene)), name);
  }
});

/** Neither process list nor files tell them, but the file for the program, which is closed to others. */
async function checkSecrets(
  home: string,
  secrets: readonly string[],
): Promise<void> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["axww", "-o", "command="],
  }).output();
  const processes = new TextDecoder().decode(stdout);
  let isAnyForProgram = false;
  for (const secret of secrets) assert(!processes.includes(secret), "ps");
  for await (const { path, text, mode } of readBelow(home)) {
    const isForProgram = path.includes("/tunnels/") && text.startsWith("ey");
    if (path.includes("/tunnels/")) {
      assert.equal(mode & 0o077, 0, path);
      const folder = path.replace(/(\/tunnels)\/.*/, "$1");
      assert.equal((await Deno.stat(folder)).mode! & 0o777, 0o700, folder);
    }
    if (isForProgram) {
      isAnyForProgram = true;
      assert(!processes.includes(text.trim()), "ps");
    }
    for (const secret of secrets) {
      const isTold = text.includes(secret) || text.includes(btoa(secret));
      assert(!isTold || isForProgram, `${path} tells a secret`);
    }
  }
  assert(isAnyForProgram);
}
