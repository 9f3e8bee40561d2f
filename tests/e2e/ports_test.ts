/**
 * Which port a task gets, and what becomes of whoever else uses it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { freePort } from "../support/free_port.ts";
import { isRunning } from "../support/process_state.ts";
import { type Action, program, type TestProject } from "../support/project.ts";
import { startStranger } from "../support/stranger.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const SERVER = program("http_server.ts");

function server(name: string): string {
  return `
name = "${name}"
[tasks.web]
command = "${SERVER}"
host = "web"
[tasks.api]
command = "exec sleep 1000 # $PORT"
[tasks.none]
command = "exec sleep 1000"
`;
}

async function portOf(project: TestProject, name: string): Promise<number> {
  const { port } = await project.task(name);
  assert(port !== null, `${name} has a port`);
  return port;
}

Deno.test("a port stays with its task, and no two tasks have the same one", async () => {
  await using taskmux = await testTaskmux();
  const first = await taskmux.project(server("first"), "first");
  const second = await taskmux.project(server("second"), "second");
  const third = await taskmux.project(server("third"), "third");
  const projects = [first, second, third];
  await Promise.all(projects.map((project) => project.ok(["start"])));

  const ports = await Promise.all(
    projects.flatMap((project) =>
      ["web", "api"].map((name) => portOf(project, name))
    ),
  );
  assert.equal(new Set(ports).size, ports.length, ports.join(" "));
  assert.equal((await first.task("none")).port, null);
  await first.ok(["wait", "web", "--for", "port"]);
  const [web] = ports;
  const response = await fetch(`http://127.0.0.1:${web}/`);
  assert.equal(await response.text(), "ok");

  const restarted = await first.ok<Action>(["restart", "web"]);
  assert.equal(restarted.port, web);
  await first.ok(["stop", "web"]);
  assert.equal(await portOf(first, "web"), web, "while it is down");
  await taskmux.ok(["daemon", "stop"]);
  await Promise.all(projects.map((project) => project.ok(["start"])));
  const again = await Promise.all(
    projects.flatMap((project) =>
      ["web", "api"].map((name) => portOf(project, name))
    ),
  );
  assert.deepEqual(again, ports, "after a daemon restart");
});

// The original killed whatever had a socket on the port, clients included (defect 7).
Deno.test("whoever else holds or uses the port survives", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(server("shared"));
  await project.ok(["start", "web", "--wait"]);
  const port = await portOf(project, "web");

  await using client = await startStranger("tcp_client.ts", String(port));
  await project.ok(["restart", "web"]);
  assert.equal((await client.status).signal, null);
  assert.equal((await client.status).code, 0, "it saw the end of its peer");

  await project.ok(["stop", "web"]);
  await using stranger = await startStranger("hold_port.ts", String(port));
  const moved = await project.ok<Action>(["start", "web", "--wait"]);
  assert.notEqual(moved.port, port);
  assert(await isRunning(stranger.pid), "the stranger lives");
  const [event] = await project.events("web", "port_changed");
  assert.equal(event?.["from"], port);
  assert.equal(event?.["to"], moved.port);
  assert.equal(
    (event?.["holder"] as { readonly pid: number } | null)?.pid,
    stranger.pid,
  );
  await project.ok(["stop"]);
  assert(await isRunning(stranger.pid));
});

Deno.test("a fixed port that is held is E214, which names the holder and ends nobody", async () => {
  await using taskmux = await testTaskmux();
  const port = freePort();
  const toml = (name: string): string => `
name = "${name}"
[tasks.web]
command = "${SERVER}"
port = ${port}
`;
  const project = await taskmux.project(toml("fixed"), "fixed");
  {
    await using stranger = await startStranger("hold_port.ts", String(port));
    const taken = await project.fails("E214", ["start"]);
    assert.match(taken.error, new RegExp(`pid ${stranger.pid}\\b`));
    const holder = taken["details"]?.["holder"] as { readonly pid: number };
    assert.equal(holder.pid, stranger.pid);
    assert(await isRunning(stranger.pid));
  }
  const started = await project.ok<Action>(["start", "web", "--wait"]);
  assert.equal(started.port, port);

  const other = await taskmux.project(toml("other"), "other");
  const { pid } = await project.task("web");
  const taken = await other.fails("E214", ["start"]);
  assert.match(taken.error, /task "web" of project "fixed"/);
  assert.equal((await project.task("web")).pid, pid);
  await project.ok(["restart", "web"]);
  assert.equal(await portOf(project, "web"), port);
  await project.ok(["stop"]);
  await other.ok(["start"]);
  await until(async () => (await other.task("web")).healthy);
});
