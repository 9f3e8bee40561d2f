import assert from "node:assert/strict";
import { type Client, connect } from "../../../src/client/client.ts";
import { type Progress, VERSION } from "../../../src/contract/wire.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { frameServer, HELLO, type Peer } from "./_frame_server.ts";

/** Connects to a server that greets and then plays. */
async function withClient(
  play: (peer: Peer) => Promise<void>,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  await using server = await frameServer(async (peer) => {
    peer.send(HELLO);
    await play(peer);
  });
  await using client = await connect(server.path);
  assert(client);
  await use(client);
}

/** The next request; fails if the client does something else. */
async function request(
  peer: Peer,
): Promise<{ id: number; op: string; params: unknown }> {
  const frame = await peer.next();
  assert(frame !== null && "op" in frame, "a request");
  return frame;
}

async function error(work: Promise<unknown>): Promise<TaskmuxError> {
  try {
    await work;
  } catch (caught) {
    assert(caught instanceof TaskmuxError, String(caught));
    return caught;
  }
  assert.fail("it did not fail");
}

Deno.test("call() says with every request who asks and whether secrets are shown", async () => {
  const seen: unknown[] = [];
  await using server = await frameServer(async (peer) => {
    peer.send(HELLO);
    for (let n = 0; n < 2; n++) {
      const frame = await request(peer);
      seen.push(frame);
      peer.send({ id: frame.id, result: { ok: true } });
    }
  });
  await using client = await connect(server.path, {
    manner: { caller: "ci-7", reveal: true },
  });
  assert(client);
  await client.call("daemon.ping", {});
  await client.call("daemon.ping", {});
  const asked = { op: "daemon.ping", params: {}, caller: "ci-7", reveal: true };
  assert.deepEqual(seen, [{ id: 1, ...asked }, { id: 2, ...asked }]);
});

Deno.test("connect() answers null where no socket is", async () => {
  assert.equal(await connect("/tmp/tmx-there-is-no-such-folder/x.sock"), null);
});

Deno.test("connect() answers null for a socket that nobody listens on", async () => {
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "tmx-" });
  const path = `${folder}/daemon.sock`;
  // Closing removes the file of that name only: under another one it stays, as after a crash.
  const listener = Deno.listen({ transport: "unix", path: `${path}.live` });
  await Deno.rename(`${path}.live`, path);
  listener.close();
  assert((await Deno.lstat(path)).isSocket);
  assert.equal(await connect(path), null);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("connect() answers null for a daemon that closes before it greets", async () => {
  await using server = await frameServer(() => Promise.resolve());
  assert.equal(await connect(server.path), null);
});

Deno.test("connect() tells who greeted", async () => {
  await withClient(
    async (peer) => assert.equal(await peer.next(), null),
    (client) => {
      assert.deepEqual(client.hello, HELLO);
      return Promise.resolve();
    },
  );
});

Deno.test("connect() refuses another protocol with E601 and names the remedy", async () => {
  await using server = await frameServer(async (peer) => {
    peer.send({ ...HELLO, protocol: 999, version: "9.9.9" });
    await peer.next();
  });
  const { code, hint, message, details } = await error(connect(server.path));
  assert.equal(code, "E601");
  assert.equal(hint, "taskmux daemon restart");
  assert.match(message, /9\.9\.9 with protocol 999/);
  assert.equal(details?.["daemon_protocol"], 999);
});

Deno.test("connect() takes any protocol where that is allowed", async () => {
  await using server = await frameServer(async (peer) => {
    peer.send({ ...HELLO, protocol: 999 });
    await peer.next();
  });
  await using client = await connect(server.path, { anyProtocol: true });
  assert.equal(client?.hello.protocol, 999);
});

for (
  const [what, greeting] of [
    ["text that is no JSON", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["JSON of something else", '{"jsonrpc":"2.0"}\n'],
    ["a JSON null", "null\n"],
  ]
) {
  Deno.test(`connect() refuses ${what} with E600`, async () => {
    await using server = await frameServer(async (peer) => {
      await peer.raw(greeting!);
      await peer.next();
    });
    const { code, message } = await error(connect(server.path));
    assert.equal(code, "E600");
    assert.match(message, /no taskmux daemon/);
  });
}

Deno.test("connect() gives up on a daemon that never greets", async () => {
  await using server = await frameServer(async (peer) => {
    await peer.next();
  });
  const { code, message } = await error(
    connect(server.path, { helloTimeoutMs: 1 }),
  );
  assert.equal(code, "E600");
  assert.match(message, /does not answer/);
});

Deno.test("connect() ends with the signal's reason while it waits for the greeting", async () => {
  const accepted = Promise.withResolvers<void>();
  await using server = await frameServer(async (peer) => {
    accepted.resolve();
    await peer.next();
  });
  const controller = new AbortController();
  const connecting = connect(server.path, { signal: controller.signal });
  await accepted.promise;
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(connecting, reason);
});

Deno.test("call() sends name and parameters and gives the result back", async () => {
  await withClient(
    async (peer) => {
      const { id, op, params } = await request(peer);
      assert.equal(op, "project.env");
      assert.deepEqual(params, { scope: { config: "/x/taskmux.toml" } });
      peer.send({ id, result: { ok: true, env: { A: "1" } } });
      await peer.next();
    },
    async (client) => {
      const result = await client.call("project.env", {
        scope: { config: "/x/taskmux.toml" },
      });
      assert.deepEqual(result, { ok: true, env: { A: "1" } });
    },
  );
});

Deno.test("call() passes progress on in order, before the result", async () => {
  const progress = (task: string): Progress => ({ task, state: "starting" });
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      peer.send({ id, progress: progress("a") });
      peer.send({ id, progress: progress("b") });
      peer.send({ id, result: { ok: true } });
      await peer.next();
    },
    async (client) => {
      const seen: string[] = [];
      await client.call("task.start", { scope: { session: "x" } }, {
        onProgress: ({ task }) => seen.push(task),
      });
      assert.deepEqual(seen, ["a", "b"]);
    },
  );
});

// "unknown operation" sounded as if the user had mistyped something.
Deno.test("what a daemon of another version does not know is told as that", async () => {
  for (const version of ["9.9.9", VERSION]) {
    await using server = await frameServer(async (peer) => {
      peer.send({ ...HELLO, version });
      const { id } = await request(peer);
      peer.send({
        id,
        error: {
          ok: false,
          error_code: "E500",
          error: 'Cannot do "daemon.ping": unknown operation',
          details: { refused: "operation" },
        },
      });
      await peer.next();
    });
    await using client = await connect(server.path);
    assert(client !== null);
    const { code, message, hint } = await error(client.call("daemon.ping", {}));
    if (version === VERSION) assert.equal(code, "E500");
    else {
      assert.equal(code, "E601");
      assert.match(message, /9\.9\.9.*unknown operation/);
      assert.equal(hint, "taskmux daemon restart");
    }
  }
});

Deno.test("call() throws the daemon's error whole", async () => {
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      peer.send({
        id,
        error: {
          ok: false,
          error_code: "E200",
          error: "Task 'ghost' not found in config",
          hint: 'did you mean "host"?',
          details: { task: "ghost" },
        },
      });
      await peer.next();
    },
    async (client) => {
      const { code, message, hint, details } = await error(
        client.call("task.inspect", {
          scope: { session: "x" },
          task: "ghost",
        }),
      );
      assert.equal(code, "E200");
      assert.equal(message, "Task 'ghost' not found in config");
      assert.equal(hint, 'did you mean "host"?');
      assert.deepEqual(details, { task: "ghost" });
    },
  );
});

Deno.test("calls run side by side, each with its own answer", async () => {
  await withClient(
    async (peer) => {
      const first = await request(peer);
      const second = await request(peer);
      peer.send({ id: second.id, result: { ok: true, pid: 2, version: "" } });
      peer.send({ id: first.id, result: { ok: true, pid: 1, version: "" } });
      await peer.next();
    },
    async (client) => {
      const [first, second] = await Promise.all([
        client.call("daemon.ping", {}),
        client.call("daemon.ping", {}),
      ]);
      assert.deepEqual([first.pid, second.pid], [1, 2]);
    },
  );
});

Deno.test("call() withdraws the request when its signal aborts", async () => {
  const asked = Promise.withResolvers<void>();
  const withdrawn = Promise.withResolvers<void>();
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      asked.resolve();
      assert.deepEqual(await peer.next(), { cancel: id });
      // A late answer to a withdrawn request harms nobody.
      peer.send({ id, result: { ok: true } });
      const again = await request(peer);
      peer.send({ id: again.id, result: { ok: true, pid: 7, version: "" } });
      withdrawn.resolve();
      await peer.next();
    },
    async (client) => {
      const controller = new AbortController();
      const { signal } = controller;
      const call = client.call("task.start", { scope: { session: "x" } }, {
        signal,
      });
      await asked.promise;
      const reason = new Error("enough");
      controller.abort(reason);
      await assert.rejects(call, reason);
      assert.equal((await client.call("daemon.ping", {})).pid, 7);
      await withdrawn.promise;
    },
  );
});

Deno.test("call() sends nothing when its signal has aborted before", async () => {
  await withClient(
    async (peer) => assert.equal(await peer.next(), null),
    async (client) => {
      const reason = new Error("enough");
      await assert.rejects(
        client.call("daemon.ping", {}, { signal: AbortSignal.abort(reason) }),
        reason,
      );
    },
  );
});

Deno.test("call() fails with E600 when the connection is lost", async () => {
  await withClient(
    async (peer) => {
      await request(peer);
      peer.close();
    },
    async (client) => {
      const { code, message } = await error(client.call("daemon.ping", {}));
      assert.equal(code, "E600");
      assert.match(message, /connection to the daemon was lost/);
      await client.closed();
      // Nor does anything asked later wait for ever.
      assert.equal((await error(client.call("daemon.ping", {}))).code, "E600");
    },
  );
});

Deno.test("call() fails with E600 when the daemon sends what is no frame", async () => {
  await withClient(
    async (peer) => {
      await request(peer);
      await peer.raw("\x00\x01 this is no frame\n");
      await peer.next();
    },
    async (client) => {
      assert.equal((await error(client.call("daemon.ping", {}))).code, "E600");
    },
  );
});

Deno.test("close() fails what is still asked, and is idempotent", async () => {
  const asked = Promise.withResolvers<void>();
  await withClient(
    async (peer) => {
      await request(peer);
      asked.resolve();
      assert.equal(await peer.next(), null);
    },
    async (client) => {
      const call = error(client.call("daemon.ping", {}));
      await asked.promise;
      await client.close();
      await client.close();
      assert.equal((await call).code, "E600");
    },
  );
});

const event = (seq: number) => ({
  seq,
  ts: "2026-11-20T00:00:00.000Z",
  event: "task_started",
  session: null,
});

Deno.test("stream() gives items in order and ends with the daemon's end", async () => {
  await withClient(
    async (peer) => {
      const { id, op } = await request(peer);
      assert.equal(op, "event.follow");
      for (const seq of [1, 2, 3]) peer.send({ id, item: event(seq) });
      peer.send({ id, end: true });
      await peer.next();
    },
    async (client) => {
      const items = await Array.fromAsync(client.stream("event.follow", {}));
      assert.deepEqual(items, [event(1), event(2), event(3)]);
    },
  );
});

Deno.test("stream() delivers what came before an error, then throws it", async () => {
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      peer.send({ id, item: event(1) });
      peer.send({
        id,
        error: { ok: false, error_code: "E500", error: "Cannot read cursor" },
      });
      await peer.next();
    },
    async (client) => {
      const stream = client.stream("event.follow", {});
      assert.deepEqual((await stream.next()).value, event(1));
      assert.equal((await error(stream.next())).code, "E500");
    },
  );
});

Deno.test("stream() withdraws the request when the reader leaves", async () => {
  const cancelled = Promise.withResolvers<void>();
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      peer.send({ id, item: event(1) });
      assert.deepEqual(await peer.next(), { cancel: id });
      cancelled.resolve();
      await peer.next();
    },
    async (client) => {
      for await (const item of client.stream("event.follow", {})) {
        assert.deepEqual(item, event(1));
        break;
      }
      await cancelled.promise;
    },
  );
});

Deno.test("stream() ends with the signal's reason", async () => {
  const cancelled = Promise.withResolvers<void>();
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      peer.send({ id, item: event(1) });
      assert.deepEqual(await peer.next(), { cancel: id });
      cancelled.resolve();
      await peer.next();
    },
    async (client) => {
      const controller = new AbortController();
      const { signal } = controller;
      const stream = client.stream("event.follow", {}, { signal });
      await stream.next();
      const reason = new Error("enough");
      const waiting = stream.next();
      controller.abort(reason);
      await assert.rejects(waiting, reason);
      await cancelled.promise;
    },
  );
});

Deno.test("stream() fails with E600 when the connection is lost", async () => {
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      peer.send({ id, item: event(1) });
    },
    async (client) => {
      const stream = client.stream("event.follow", {});
      await stream.next();
      assert.equal((await error(stream.next())).code, "E600");
    },
  );
});

Deno.test("stream() loses nothing of more items than it queues", async () => {
  const count = 5_000;
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      for (let seq = 1; seq <= count; seq++) {
        peer.send({ id, item: event(seq) });
      }
      peer.send({ id, end: true });
      await peer.next();
    },
    async (client) => {
      let last = 0;
      for await (const item of client.stream("event.follow", {})) {
        assert("seq" in item);
        assert.equal(item.seq, last + 1);
        last = item.seq as number;
      }
      assert.equal(last, count);
    },
  );
});

Deno.test("stream() that is left while its queue is full does not block other requests", async () => {
  await withClient(
    async (peer) => {
      const { id } = await request(peer);
      for (let seq = 1; seq <= 3_000; seq++) {
        peer.send({ id, item: event(seq) });
      }
      assert.deepEqual(await peer.next(), { cancel: id });
      const ping = await request(peer);
      peer.send({ id: ping.id, result: { ok: true, pid: 1, version: "" } });
      await peer.next();
    },
    async (client) => {
      const stream = client.stream("event.follow", {});
      await stream.next();
      await stream.return();
      assert.equal((await client.call("daemon.ping", {})).pid, 1);
    },
  );
});
