/**
 * Tunnels through crashes of our own processes, and many who want the same at once.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../src/contract/mod.ts";
import { killDaemon, killKeeper } from "../../support/crashes.ts";
import { FakeEdge } from "../../support/fake_edge.ts";
import type { TestProject } from "../../support/project.ts";
import type { Taskmux } from "../../support/taskmux.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  tunnelledTaskmux,
} from "../../support/tunnelled.ts";
import { until } from "../../support/until.ts";

const TASKS = 4;
const CALLS = 25;

const task = (name: string): string =>
  `[tasks.${name}]
host = "${name}"
command = "${PUBLIC_SERVER}"
stop_grace_period = 1
`;

const SHOP = `name = "crashes"
${Array.from({ length: TASKS }, (_, index) => task(`web${index}`)).join("")}
`;

/** What the steps share. */
interface Scene {
  readonly taskmux: Taskmux;
  readonly shop: TunnelledProject;
  readonly project: TestProject;
  readonly edge: FakeEdge;
  readonly first: Result<"tunnel.up">["tunnel"];
  readonly isSame: () => Promise<void>;
}

/** A new daemon goes on. */
async function newDaemon({ project, isSame }: Scene): Promise<void> {
  await project.ok(["daemon", "restart"]);
  await isSame();
}

/** After a crash as well. */
async function crash({ taskmux, isSame }: Scene): Promise<void> {
  await killDaemon(taskmux);
  await isSame();
}

/** An end that came meanwhile is made good. */
async function expiry({ taskmux, shop, project }: Scene): Promise<void> {
  await shop.up({ task: "web1" });
  const { tunnel } = await shop.up({ task: "web1", expires: 2 });
  await killDaemon(taskmux);
  await until(() => Date.now() / 1000 > tunnel.expires_at!);
  await project.ok(["daemon", "start"]);
  await shop.whenGone("web1");
  assert.equal((await shop.events("web1")).at(-1), "tunnel_closed expired");
  await until(async () => (await shop.ask(tunnel.public_url!)).status === 530);
}

/** What was half open is gone. */
async function halfOpen(
  { taskmux, shop, project, edge, isSame }: Scene,
): Promise<void> {
  edge.pause();
  const opening = shop.up({ task: "web2" });
  const lost = assert.rejects(opening);
  await until(async () => {
    const { tasks } = await project.status();
    return tasks.some(({ name, pid }) =>
      name === "tunnel-web2" && pid !== null
    );
  });
  await killDaemon(taskmux);
  await lost;
  edge.resume();
  await project.ok(["daemon", "start"]);
  await until(async () => {
    const { tasks } = await project.status();
    return !tasks.some(({ name }) => name === "tunnel-web2");
  });
  assert.equal((await shop.tunnels()).has("web2"), false);
  assert.deepEqual(await shop.events("web2"), []);
  await isSame();
}

/** A port that is taken meanwhile is given up. */
async function takenPort(
  { taskmux, shop, project, first }: Scene,
): Promise<void> {
  await killDaemon(taskmux);
  const port = Number(new URL(first.origin!).port);
  using taken = await until(() => listening(port));
  await project.ok(["daemon", "start"]);
  const row = await shop.when(
    "web0",
    ({ state, origin }) => state === "open" && origin !== first.origin,
  );
  assert.notEqual(row.origin, `http://127.0.0.1:${taken.addr.port}`);
  assert.equal((await shop.told(row.public_url!)).task, "web0");
  assert.deepEqual(await shop.events("web0"), [
    "tunnel_opened",
    "tunnel_recovered",
  ]);
}

/** The keeper takes tasks and programs with it. */
async function lostKeeper({ taskmux, shop }: Scene): Promise<void> {
  const before = (await shop.tunnels()).get("web0")!;
  await killKeeper(taskmux);
  const row = await shop.when(
    "web0",
    ({ state, public_url }) =>
      state === "open" && public_url !== before.public_url,
  );
  await until(async () => (await shop.ask(row.public_url!)).status === 203);
  assert.deepEqual((await shop.events("web0")).slice(2), [
    "tunnel_failed",
    "tunnel_recovered",
  ]);
}

/** Many who open the same get one. */
async function many({ shop, edge }: Scene): Promise<void> {
  const names = Array.from({ length: TASKS }, (_, index) => `web${index}`);
  const calls = names.flatMap((name) =>
    Array.from({ length: CALLS }, () => shop.up({ task: name }))
  );
  const answers = await Promise.all(calls);
  for (const name of names) {
    const of = answers.filter((answer) => answer.task === name);
    assert.equal(new Set(of.map(({ public_url }) => public_url)).size, 1);
  }
  const { closed } = await shop.down();
  assert.deepEqual(closed.toSorted(), names);
  assert.equal(edge.connectors.length, 0);
}

type Step = readonly [string, (scene: Scene) => Promise<void>];

/** In this order: each goes on from what the one before has left. */
const STEPS: readonly Step[] = [
  ["a new daemon goes on", newDaemon],
  ["after a crash as well", crash],
  ["an end that came meanwhile is made good", expiry],
  ["what was half open is gone", halfOpen],
  ["a port that is taken meanwhile is given up", takenPort],
  ["the keeper takes tasks and programs with it", lostKeeper],
  ["many who open the same get one", many],
];

Deno.test("tunnels survive the daemon, and nothing half open does", async (t) => {
  await using edge = await FakeEdge.open();
  await using of = await tunnelledTaskmux({
    edge,
    expectedErrors: /keeper|lost/i,
  });
  const { taskmux } = of;
  const shop = await TunnelledProject.start(of, SHOP);
  const { project } = shop;
  const first = (await shop.up({ task: "web0" })).tunnel;
  const url = first.public_url!;
  const program = await project.pid("tunnel-web0");

  /** The next daemon has the same tunnel: program, gate, name, and nothing was told. */
  const isSame = async (): Promise<void> => {
    await project.ok(["daemon", "start"]);
    await until(async () => (await shop.ask(url)).status === 203);
    const row = await shop.when("web0", ({ state }) => state === "open");
    assert.equal(row.public_url, url);
    assert.equal(row.origin, first.origin);
    assert.equal(row.opened_at, first.opened_at);
    assert.equal(await project.pid("tunnel-web0"), program);
    assert.deepEqual(await shop.events("web0"), ["tunnel_opened"]);
  };

  const scene: Scene = { taskmux, shop, project, edge, first, isSame };
  for (const [name, work] of STEPS) {
    assert(await t.step(name, () => work(scene)), name);
  }
});

/** A listener on a port; null as long as threads of its last owner end. */
function listening(port: number): Deno.TcpListener | null {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return null;
    throw error;
  }
}
