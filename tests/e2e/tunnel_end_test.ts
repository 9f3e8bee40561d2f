/**
 * A tunnel ends by itself with its task, and only then: stop, kill, crash, removal, expiry; not a restart.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeEdge } from "../support/fake_edge.ts";
import { PublicSocket } from "../support/public_socket.ts";
import type { TestProject } from "../support/project.ts";
import type { Taskmux } from "../support/taskmux.ts";
import {
  PUBLIC_SERVER,
  TunnelledProject,
  type TunnelledTaskmux,
  tunnelledTaskmux,
} from "../support/tunnelled.ts";
import { until } from "../support/until.ts";

const web = (name: string, more = ""): string =>
  `[tasks.${name}]
host = "${name}"
command = "${PUBLIC_SERVER}"
stop_grace_period = 1
${more}`;

const SHOP = `name = "ends"
${web("web")}
${web("api", 'restart_policy = "no"')}
${web("gone")}
`;

/** What the steps share. */
interface Scene {
  readonly of: TunnelledTaskmux;
  readonly shop: TunnelledProject;
  readonly project: TestProject;
  readonly edge: FakeEdge;
  readonly taskmux: Taskmux;
  readonly open: (task: string) => Promise<string>;
  readonly closed: (task: string, url: string, reason: string) => Promise<void>;
}

/** It lives through restart and crash of its task. */
async function restarts({ shop, project, open }: Scene): Promise<void> {
  const url = await open("web");
  const program = await project.pid("tunnel-web");
  await project.ok(["restart", "web"]);
  const { pid } = await shop.told(url);
  Deno.kill(pid, "SIGKILL");
  await until(async () => {
    const { status, text } = await shop.ask(url);
    return status === 203 && JSON.parse(text).pid !== pid;
  });
  assert.equal(await project.pid("tunnel-web"), program);
  assert.deepEqual(await shop.events("web"), ["tunnel_opened"]);
  // All of the project's tasks: the program is none of them.
  await project.ok(["restart"]);
  await shop.when("web", ({ state }) => state === "open");
  assert.equal(await project.pid("tunnel-web"), program);
  assert.deepEqual(await shop.events("web"), ["tunnel_opened"]);
}

/** A restart of the program gives it a new name. */
async function programRestart({ shop, project, closed }: Scene): Promise<void> {
  const url = (await shop.tunnels()).get("web")!.public_url!;
  await project.ok(["restart", "tunnel-web"]);
  const moved = await shop.when(
    "web",
    ({ public_url, state }) => state === "open" && public_url !== url,
  );
  assert.equal((await shop.told(moved.public_url!)).task, "web");
  assert.deepEqual(
    (await shop.events("web")).at(-1),
    "tunnel_recovered",
  );
  await project.ok(["stop", "tunnel-web"]);
  await closed("web", moved.public_url!, "process_stopped");
}

/** Stop, kill, the last crash and expiry end it. */
async function endsOfTask(
  { shop, project, edge, open, closed }: Scene,
): Promise<void> {
  let url = await open("web");
  using socket = await PublicSocket.open(edge, url);
  await project.ok(["stop", "web"]);
  await socket.closed;
  await closed("web", url, "task_stopped");

  url = await open("web");
  await project.ok(["kill", "web"]);
  await closed("web", url, "task_stopped");

  url = await open("api");
  Deno.kill((await shop.told(url)).pid, "SIGKILL");
  await closed("api", url, "task_stopped");

  url = await open("web");
  await project.ok(["stop"]);
  await closed("web", url, "task_stopped");

  url = await open("web");
  const { action } = await shop.up({ task: "web", expires: 1 });
  assert.equal(action, "changed");
  await closed("web", url, "expired");
  assert.equal((await project.task("web")).running, true);
}

/** What leaves the file is closed. */
async function leavesFile({ project, open, closed }: Scene): Promise<void> {
  const url = await open("gone");
  await project.replace(SHOP.replace(web("gone"), ""));
  await closed("gone", url, "task_removed");
}

/** The end of the daemon, and of its project. */
async function endsOfDaemon(
  { of, shop, project, taskmux, open }: Scene,
): Promise<void> {
  const url = await open("web");
  const other = await TunnelledProject.start(
    of,
    SHOP.replace('"ends"', '"other"'),
    { folder: "other" },
  );
  const opened = await other.up({ task: "web" });
  await other.project.ok(["daemon", "unregister", "other"]);
  await until(async () => (await shop.ask(opened.public_url)).status === 530);
  await taskmux.ok(["daemon", "stop"]);
  assert.equal((await shop.ask(url)).status, 530);
  await project.ok(["start", "web"]);
  assert.equal((await shop.tunnels()).size, 0);
  assert.equal(
    (await shop.events("web")).at(-1),
    "tunnel_closed daemon_stopped",
  );
  const { tasks } = await project.status();
  assert(!tasks.some(({ name }) => name.startsWith("tunnel-")));
}

type Step = readonly [string, (scene: Scene) => Promise<void>];

/** In this order: each goes on from what the one before has left. */
const STEPS: readonly Step[] = [
  ["it lives through restart and crash of its task", restarts],
  ["a restart of the program gives it a new name", programRestart],
  ["stop, kill, the last crash and expiry end it", endsOfTask],
  ["what leaves the file is closed", leavesFile],
  ["the end of the daemon, and of its project", endsOfDaemon],
];

Deno.test("a tunnel ends with its task, and lives through its restarts", async (t) => {
  await using edge = await FakeEdge.open();
  await using of = await tunnelledTaskmux({ edge });
  const { taskmux } = of;
  const shop = await TunnelledProject.start(of, SHOP);
  const { project } = shop;

  /** A tunnel of a task that runs. */
  const open = async (task: string): Promise<string> => {
    const { running } = await project.task(task);
    if (!running) await project.ok(["start", task]);
    const { public_url } = await shop.up({ task });
    assert.equal((await shop.told(public_url)).task, task);
    return public_url;
  };
  /** Nothing is left of it: no record, no program, no name. */
  const closed = async (
    task: string,
    url: string,
    reason: string,
  ): Promise<void> => {
    await shop.whenGone(task);
    await until(async () => (await shop.ask(url)).status === 530);
    await until(async () => {
      const { tasks } = await project.status();
      return !tasks.some(({ name }) => name === `tunnel-${task}`);
    });
    assert.equal((await shop.events(task)).at(-1), `tunnel_closed ${reason}`);
  };

  const scene: Scene = { of, shop, project, edge, taskmux, open, closed };
  for (const [name, work] of STEPS) {
    assert(await t.step(name, () => work(scene)), name);
  }
});
