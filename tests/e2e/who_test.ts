/**
 * `taskmux who`: who holds a port, on whichever address, and whose it is. What another user holds is told in
 * `faults/homes_test.ts`.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { freePort } from "../support/free_port.ts";
import { HAS_PROC, lives } from "../support/processes.ts";
import { program } from "../support/project.ts";
import { Strangers } from "../support/strangers.ts";
import { killIfThere, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Who = Result<"port.who">;

function project(name: string, fixed: number): string {
  return `
name = "${name}"
[tasks.web]
command = "(${program("http_server.ts").replace("exec ", "")} & wait)"
host = "web"
[tasks.fixed]
command = "exec sleep 1000"
port = ${fixed}
auto_start = false
`;
}

/** Listens on that address, and lets others do it, too. */
function sharing(port: number): [string, ...string[]] {
  return [
    "python3",
    "-uc",
    `
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("127.0.0.1", ${port}))
s.listen()
print("listening", flush=True)
time.sleep(9999)`,
  ];
}

Deno.test({
  name:
    "who names the process, the task and the lease, for every project and outside of all",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const [one, two] = [freePort(), freePort()];
    const shop = await taskmux.project(project("shop", one), "shop");
    const blog = await taskmux.project(project("blog", two), "blog");
    await shop.ok(["start", "--wait"]);
    await blog.ok(["daemon", "register"]);
    const { port, pid, run_id: runId } = await shop.ok<
      { port: number; pid: number; run_id: string }
    >(["inspect", "web"]);

    const who = await taskmux.ok<Who>(["who", String(port)]);
    assert.deepEqual([who.port, who.listening], [port, true]);
    assert.deepEqual(who.lease, { session: "shop", task: "web", fixed: false });
    const [holder, ...others] = who.holders ?? [];
    assert(holder !== undefined && others.length === 0);
    assert.notEqual(holder.pid, pid, "a child of the shell holds it");
    assert.match(holder.command ?? "", /http_server\.ts/);
    assert.deepEqual(
      [holder.ours, holder.session, holder.task, holder.run_id],
      [true, "shop", "web", runId],
    );
    const said = await taskmux.run(["who", String(port)]);
    assert.match(
      said.stdout,
      new RegExp(
        `^port ${port}: web of shop \\(pid ${holder.pid}, .*deno.*\\) on 127\\.0\\.0\\.1\\n$`,
      ),
    );

    await shop.ok(["stop"]);
    assert.deepEqual(await taskmux.ok<Who>(["who", String(port)]), {
      ok: true,
      port,
      listening: false,
      holders: [],
      lease: { session: "shop", task: "web", fixed: false },
    });
    const free = await taskmux.run(["who", String(port)]);
    assert.equal(free.stdout, `port ${port}: free; leased to web of shop\n`);
    const fixed = await taskmux.ok<Who>(["who", String(two)]);
    assert.deepEqual(fixed.lease, {
      session: "blog",
      task: "fixed",
      fixed: true,
    });
    const { api_port: api } = await taskmux.ok<{ api_port: number }>([
      "daemon",
      "status",
    ]);
    const daemon = await taskmux.ok<Who>(["who", String(api)]);
    assert.deepEqual(
      daemon.holders?.map(({ pid, ours, task }) => ({ pid, ours, task })),
      [{ pid: await taskmux.daemonPid(), ours: true, task: null }],
    );
    const nobody = await taskmux.run(["who", String(freePort())]);
    assert.match(nobody.stdout, /^port \d+: free\n$/);
  },
});

Deno.test({
  name: "who sees listeners on every address, and all that share one",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    await taskmux.ok(["daemon", "start"]);
    for (const hostname of ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"]) {
      using listener = Deno.listen({ hostname, port: 0 });
      const { port } = listener.addr;
      const { holders } = await taskmux.ok<Who>(["who", String(port)]);
      const address = hostname.includes(":") ? `[${hostname}]` : hostname;
      assert.deepEqual(
        holders?.map(({ pid, ours, addresses }) => [pid, ours, addresses]),
        [[Deno.pid, false, [address]]],
      );
    }
    const port = freePort();
    await using strangers = new Strangers();
    const pids = [
      await strangers.add("first", sharing(port), { speaks: true }),
      await strangers.add("second", sharing(port), { speaks: true }),
    ];
    using six = Deno.listen({ hostname: "::1", port });
    assert.equal(six.addr.port, port);
    const { holders } = await taskmux.ok<Who>(["who", String(port)]);
    assert.deepEqual(
      new Map(holders?.map(({ pid, addresses }) => [pid, addresses])),
      new Map([
        [pids[0]!, ["127.0.0.1"]],
        [pids[1]!, ["127.0.0.1"]],
        [Deno.pid, ["[::1]"]],
      ]),
    );
    const said = await taskmux.run(["who", String(port)]);
    assert.equal(said.stdout.trimEnd().split("\n").length, 3);
    assert.match(
      said.stdout,
      new RegExp(
        `^port ${port}: pid ${
          pids[0]
        } .*python3.* \\(no task of this taskmux\\) on 127`,
        "m",
      ),
    );
    // Who is connected holds nothing.
    using connection = await Deno.connect({ hostname: "::1", port });
    assert.equal(
      (await taskmux.ok<Who>([
        "who",
        String((connection.localAddr as Deno.NetAddr).port),
      ])).listening,
      false,
    );
  },
});

Deno.test("who without a daemon tells the lease, and that it cannot see who listens", async () => {
  await using taskmux = await testTaskmux({ hostConfig: null });
  const [fixed, other] = [freePort(), freePort()];
  const unknown = (port: number, lease: Who["lease"]): Who => ({
    ok: true,
    port,
    listening: null,
    holders: null,
    reason: "the daemon is not running",
    lease,
  });
  const ask = (port: number) => taskmux.ok<Who>(["who", String(port)]);
  assert.deepEqual(await ask(other), unknown(other, null));
  assert.deepEqual([...Deno.readDirSync(taskmux.home.root)].length, 1);

  await Deno.mkdir(taskmux.home.home, { mode: 0o700 });
  await Deno.writeTextFile(taskmux.home.paths.hostConfig, "api_port = 0\n");
  const shop = await taskmux.project(project("shop", fixed), "shop");
  await shop.ok(["start", "--wait"]);
  const { port } = await shop.task("web");
  assert(port !== null);
  await taskmux.ok(["daemon", "stop"]);
  const web = { session: "shop", task: "web", fixed: false };
  assert.deepEqual(await ask(port), unknown(port, web));
  assert.deepEqual(
    await ask(fixed),
    unknown(fixed, { session: "shop", task: "fixed", fixed: true }),
  );
  const said = await taskmux.run(["who", String(port)]);
  assert.equal(
    said.stdout,
    `port ${port}: who listens is not known, because the daemon is not ` +
      `running; leased to web of shop\n`,
  );
  await shop.write("broken = [");
  assert.deepEqual(await ask(port), unknown(port, { ...web, fixed: null }));
  assert.deepEqual(await ask(fixed), unknown(fixed, null));
  assert.equal(await taskmux.daemonPid(), null, "nothing was started");
});

Deno.test({
  name: "who asks the keeper if that is all that is left",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const shop = await taskmux.project(project("shop", freePort()), "shop");
    await shop.ok(["start", "--wait"]);
    const { port } = await shop.task("web");
    const before = await taskmux.ok<Who>(["who", String(port)]);
    const daemon = await taskmux.daemonPid();
    assert(daemon !== null);
    killIfThere(daemon);
    await until(() => !lives(daemon));
    const after = await taskmux.ok<Who>(["who", String(port)]);
    assert.deepEqual(after, before);
    assert.equal(await taskmux.daemonPid(), null, "nothing was started");
  },
});

Deno.test("who refuses what is no port", async () => {
  await using taskmux = await testTaskmux();
  for (const word of ["0", "65536", "-1", "http", "80 ", "1e3", "", "0x50"]) {
    const refused = await taskmux.fails("E500", ["who", word]);
    assert.equal(typeof refused.hint, "string");
  }
  assert.equal((await taskmux.run(["who"])).code, 2);
  assert.equal((await taskmux.run(["who", "1", "2"])).code, 2);
});
