/**
 * Programs of tunnels that are missing, do not come up, die or lose their connections.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../src/contract/mod.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { FakeEdge } from "../../support/fake_edge.ts";
import type { TestProject } from "../../support/project.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  tunnelledTaskmux,
} from "../../support/tunnelled.ts";
import { until } from "../../support/until.ts";

const SHOP = `name = "losses"
[tasks.web]
host = "web"
command = "${PUBLIC_SERVER}"
stop_grace_period = 1
[tasks.api]
host = "api"
command = "${PUBLIC_SERVER}"
stop_grace_period = 1
`;

/** What the steps share. */
interface Scene {
  readonly shop: TunnelledProject;
  readonly project: TestProject;
  readonly edge: FakeEdge;
  readonly refused: (
    code: string,
    opening: Promise<Result<"tunnel.up">>,
  ) => Promise<TaskmuxError>;
}

/** No program. */
async function noProgram({ shop, project, refused }: Scene): Promise<void> {
  const error = await refused(
    "E740",
    shop.up({ task: "web", env: { PATH: project.folder } }),
  );
  assert.match(error.hint ?? "", /cloudflared/);
}

/** Another way that is not there leaves the present one open. */
async function otherWay({ shop }: Scene): Promise<void> {
  const { public_url: url } = await shop.up({ task: "api" });
  await assert.rejects(shop.up({ task: "api", backend: "ngrok" }), {
    code: "E740",
  });
  assert.equal((await shop.ask(url)).status, 203);
  await shop.down("api");
}

/** A program that never is ready, one that ends. */
async function neverReady({ shop, edge, refused }: Scene): Promise<void> {
  edge.pause();
  await refused("E741", shop.up({ task: "web", timeout: 1 }));
  edge.resume();
  edge.refuse("account is suspended", false);
  const error = await refused("E741", shop.up({ task: "web" }));
  assert.match(error.message, /account is suspended|ended|does not run/);
  edge.resume();
}

/** Down does not wait behind up, nor gives up others. */
async function downAmidUp({ shop, edge, refused }: Scene): Promise<void> {
  const api = await shop.up({ task: "api" });
  edge.pause();
  const opening = shop.up({ task: "web" });
  const other = refused("E741", opening);
  await until(async () => (await shop.tunnels()).has("web"));
  await shop.down("api");
  assert.equal((await shop.ask(api.public_url)).status, 530);
  assert.equal((await shop.tunnels()).get("web")?.state, "opening");
  await shop.down("web");
  await other;
  edge.resume();
}

/** A task that stops while its tunnel is opened. */
async function stopAmidUp(
  { shop, project, edge, refused }: Scene,
): Promise<void> {
  edge.pause();
  const opening = refused("E741", shop.up({ task: "web" }));
  await until(async () => (await shop.tunnels()).has("web"));
  await project.ok(["stop", "web"]);
  await opening;
  edge.resume();
  await project.ok(["start", "web"]);
}

/** Who would let in more of one that fails, and fails, has let in no more. */
async function admitsNoMore({ shop }: Scene): Promise<void> {
  const env = { PATH: "/usr/bin:/bin" };
  const failed = async (wish: Parameters<typeof shop.up>[0]) => {
    await assert.rejects(shop.up({ ...wish, env }), { code: "E740" });
    return (await shop.tunnels()).get("web");
  };
  const before = await failed({ task: "web", access: "link", expires: 600 });
  assert.equal(before?.access, "link");
  assert.notEqual(before?.expires_at, null);
  const after = await failed({ task: "web", access: "open", expires: 0 });
  assert.equal(after?.access, "link");
  assert.equal(after?.expires_at, before?.expires_at);
}

/** It dies, and loses its connections. */
async function diesAndLoses(scene: Scene): Promise<void> {
  const { shop, edge } = scene;
  const { public_url } = await shop.up({ task: "web" });
  await edge.kill(1);
  const again = await shop.when(
    "web",
    ({ state, public_url: url }) => state === "open" && url !== public_url,
  );
  assert.equal((await shop.told(again.public_url!)).task, "web");
  edge.pause();
  edge.drop();
  const failing = await shop.when("web", ({ state }) => state === "failing");
  assert.match(failing.reason ?? "", /tunnel-web/);
  assert.equal(failing.public, true);
  await admitsNoMore(scene);
  edge.resume();
  const back = await shop.when("web", ({ state }) => state === "open");
  assert.equal((await shop.ask(back.public_url!)).status, 403);
  assert.deepEqual(await shop.events("web"), [
    "tunnel_opened",
    "tunnel_failed",
    "tunnel_recovered",
    "tunnel_failed",
    "tunnel_recovered",
  ]);
}

type Step = readonly [string, (scene: Scene) => Promise<void>];

/** In this order: each goes on from what the one before has left. */
const STEPS: readonly Step[] = [
  ["no program", noProgram],
  ["another way that is not there", otherWay],
  ["a program that never is ready, one that ends", neverReady],
  ["down does not wait behind up, nor gives up others", downAmidUp],
  ["a task that stops while its tunnel is opened", stopAmidUp],
  ["it dies, and loses its connections", diesAndLoses],
];

Deno.test("what fails leaves nothing, what recovers says so", async (t) => {
  await using edge = await FakeEdge.open();
  await using of = await tunnelledTaskmux({ edge });
  const shop = await TunnelledProject.start(of, SHOP);
  const { project } = shop;

  const refused = async (
    code: string,
    opening: Promise<Result<"tunnel.up">>,
  ): Promise<TaskmuxError> => {
    const error = await opening.then(() => null, (error) => error);
    assert(error instanceof TaskmuxError, `${error}`);
    assert.equal(error.code, code);
    assert.equal((await shop.tunnels()).has("web"), false);
    const { tasks } = await project.status();
    assert(!tasks.some(({ name }) => name === "tunnel-web"));
    assert.deepEqual(await shop.events("web"), []);
    return error;
  };

  const scene: Scene = { shop, project, edge, refused };
  for (const [name, work] of STEPS) {
    assert(await t.step(name, () => work(scene)), name);
  }
});
