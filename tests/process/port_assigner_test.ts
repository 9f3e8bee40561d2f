import assert from "node:assert/strict";
import { TaskmuxError } from "../../src/domain/error.ts";
import type { PortHolder } from "../../src/pty/protocol.ts";
import { LeaseTable } from "../../src/store/lease_table.ts";
import { openDatabase } from "../../src/store/open_database.ts";
import {
  PORT_RANGE,
  PortAssigner,
  type PortAssignment,
} from "../../src/supervisor/port_assigner.ts";
import { isPortFree } from "../../src/supervisor/port_check.ts";
import { freePort } from "../support/free_port.ts";

/** An assigner over a real database, and the rest of the world as the test sets it. */
class World implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "tmx-port-" });
  readonly #database = openDatabase(`${this.folder}/db`, {
    now: 0,
    maxBytes: 1e9,
  }).database;
  readonly leases = new LeaseTable(this.#database);
  readonly up = new Set<string>();
  holders: PortHolder[] = [];
  assigner = this.restarted();

  /** As after a restart of the daemon: only the leases remain. */
  restarted(): PortAssigner {
    return new PortAssigner({
      leases: this.leases,
      holders: () => Promise.resolve(this.holders),
      isUp: (session, task) => this.up.has(`${session}/${task}`),
      ownerOf: (runId) =>
        runId === "other-run" ? { session: "shop", task: "api" } : null,
    });
  }

  assign(task: string, fixed: number | null = null): Promise<PortAssignment> {
    return this.assigner.assign({
      session: "shop",
      task,
      fixed,
      isOurs: (runId) => runId === "own-run",
    });
  }

  async refusal(task: string, fixed: number): Promise<TaskmuxError> {
    const error = await this.assign(task, fixed).then(() => null, (e) => e);
    assert.ok(error instanceof TaskmuxError);
    assert.equal(error.code, "E214");
    return error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database[Symbol.dispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("a task gets a free port of the range and keeps it", async () => {
  await using world = new World();
  const first = await world.assign("web");
  assert.equal(first.changed, null);
  assert.ok(first.port >= PORT_RANGE.first);
  assert.ok(first.port < PORT_RANGE.first + PORT_RANGE.count);
  assert.ok(isPortFree(first.port));
  assert.deepEqual(await world.assign("web"), first);
  assert.deepEqual(
    await world.restarted().assign({
      session: "shop",
      task: "web",
      fixed: null,
      isOurs: () => false,
    }),
    first,
  );
});

Deno.test("a task gets the same port on another machine", async () => {
  await using one = new World();
  await using other = new World();
  assert.deepEqual(await one.assign("web"), await other.assign("web"));
});

Deno.test("no port is given twice, however many ask at a time", async () => {
  await using world = new World();
  const tasks = Array.from({ length: 200 }, (_, n) => `task-${n}`);
  const all = await Promise.all(
    [...tasks, ...tasks].map((task) => world.assign(task)),
  );
  const ports = all.map(({ port }) => port);
  assert.equal(new Set(ports).size, 200);
  assert.deepEqual(ports.slice(0, 200), ports.slice(200));
});

Deno.test("a task gets another port when somebody holds its own, and keeps that", async () => {
  await using world = new World();
  const { port } = await world.assign("web");
  world.holders = [{ pid: 42, command: "nc -l", runId: null }];
  using _foreign = Deno.listen({ hostname: "127.0.0.1", port });
  const second = await world.assign("web");
  assert.notEqual(second.port, port);
  assert.deepEqual(second.changed, {
    from: port,
    holder: { pid: 42, command: "nc -l" },
  });
  assert.deepEqual(await world.assign("web"), {
    port: second.port,
    changed: null,
  });
});

Deno.test("a port is busy whichever address it is listened on", () => {
  for (const hostname of ["127.0.0.1", "::1", "0.0.0.0", "::"]) {
    const listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    assert.equal(isPortFree(port), false, hostname);
    listener.close();
    assert.equal(isPortFree(port), true, hostname);
  }
});

Deno.test({
  name: "a port is checked with the permissions of the daemon",
  permissions: { net: ["127.0.0.0/8", "[::1]", "localhost", "*.localhost"] },
  fn: () => {
    for (const hostname of ["127.0.0.1", "::1"]) {
      using listener = Deno.listen({ hostname, port: 0 });
      assert.equal(isPortFree(listener.addr.port), false, hostname);
    }
    assert.equal(isPortFree(freePort()), true);
  },
});

Deno.test("connections that linger after a server are no obstacle", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  // The side that closes first is the one that lingers.
  (await listener.accept()).close();
  assert.equal(await client.read(new Uint8Array(1)), null);
  client.close();
  listener.close();
  assert.equal(isPortFree(port), true);
});

Deno.test("a fixed port is given if it is free", async () => {
  await using world = new World();
  const port = freePort();
  assert.deepEqual(await world.assign("web", port), { port, changed: null });
  assert.equal(world.leases.leaseOf("shop", "web"), port);
  const other = freePort();
  assert.deepEqual(await world.assign("web", other), {
    port: other,
    changed: null,
  });
  assert.equal(world.leases.leaseOf("shop", "web"), other);
});

Deno.test("a fixed port that somebody holds is refused with the holder's name", async () => {
  await using world = new World();
  using foreign = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = foreign.addr;
  world.holders = [{ pid: 42, command: "nc -l", runId: null }];
  const error = await world.refusal("web", port);
  assert.equal(
    error.message,
    `Cannot give port ${port} to task "web": it is held by "nc -l" (pid 42)`,
  );
  assert.deepEqual(error.details, {
    port,
    holder: { pid: 42, command: "nc -l" },
    session: null,
    task: null,
  });
  assert.equal(world.leases.leaseOf("shop", "web"), null);
});

Deno.test("a fixed port is refused even if nobody knows who holds it", async () => {
  await using world = new World();
  using foreign = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const error = await world.refusal("web", foreign.addr.port);
  assert.match(error.message, /: it is held by another program$/);
  assert.equal(error.details?.["holder"], null);
});

Deno.test("a fixed port held by a run of ours is refused with the task's name", async () => {
  await using world = new World();
  using held = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = held.addr;
  const cases: [string, RegExp][] = [
    [
      "own-run",
      /: it is held by an earlier run of that task, "node" \(pid 7\)$/,
    ],
    ["other-run", /: it is held by task "api", "node" \(pid 7\)$/],
    ["unknown-run", /: it is held by "node" \(pid 7\)$/],
  ];
  for (const [runId, message] of cases) {
    world.holders = [{ pid: 7, command: "node", runId }];
    assert.match((await world.refusal("web", port)).message, message);
  }
});

Deno.test("two projects may name the same fixed port unless both want to run", async () => {
  await using world = new World();
  const port = freePort();
  world.leases.lease("blog", "web", port);
  world.up.add("blog/web");
  const error = await world.refusal("web", port);
  assert.match(
    error.message,
    /: it is held by task "web" of project "blog"$/,
  );
  assert.deepEqual(
    [error.details?.["session"], error.details?.["task"]],
    ["blog", "web"],
  );
  world.up.clear();
  assert.deepEqual(await world.assign("web", port), { port, changed: null });
  assert.equal(world.leases.leaseOf("blog", "web"), null);
});

Deno.test("of two tasks that start with the same fixed port one gets it", async () => {
  await using world = new World();
  const port = freePort();
  world.up.add("shop/api").add("shop/web");
  const results = await Promise.allSettled([
    world.assign("api", port),
    world.assign("web", port),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status).sort(),
    ["fulfilled", "rejected"],
  );
});

Deno.test("a range without a free port is an error", async () => {
  await using world = new World();
  for (let n = 0; n < PORT_RANGE.count; n++) {
    world.leases.lease("full", `task-${n}`, PORT_RANGE.first + n);
  }
  await assert.rejects(world.assign("web"), (error) => {
    assert.ok(error instanceof TaskmuxError);
    assert.equal(error.code, "E214");
    return /all from 20000 to 29999 are taken/.test(error.message);
  });
});
