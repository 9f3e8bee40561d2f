/**
 * Very many followers of events over real sockets, some of which read nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { EventBus } from "../../../src/daemon/event_bus.ts";
import { eventHandlers } from "../../../src/daemon/handlers/event.ts";
import { systemClock } from "../../../src/kit/clock.ts";
import { FrameConnection } from "../../../src/kit/frames.ts";
import type { JsonObject } from "../../../src/kit/json.ts";
import { SteadySocket } from "../../../src/kit/steady_socket.ts";
import { TaskScope } from "../../../src/kit/task_scope.ts";
import type { Store } from "../../../src/store/store.ts";
import { serveSocket } from "../../../src/transports/socket_server.ts";
import { eventOf, StoreFolder } from "../../support/store_folder.ts";

/** The part of a daemon that followers see: its socket, its events. */
class Source implements AsyncDisposable {
  readonly bus: EventBus;
  readonly path: string;
  readonly store: Store;
  readonly #folder = new StoreFolder();
  readonly #scope: TaskScope;
  readonly #listener: SteadySocket;

  constructor() {
    const fail = (error: unknown): void => assert.fail(String(error));
    this.store = this.#folder.open();
    this.bus = new EventBus(this.store.events, fail);
    this.path = `${this.#folder.path}/events.sock`;
    this.#scope = new TaskScope(fail);
    this.#listener = new SteadySocket(this.path, { mode: 0o600, onLost: fail });
    const follow = eventHandlers({
      store: this.store,
      bus: this.bus,
      host: { clock: systemClock },
      projects: {
        all: [],
        find: () => assert.fail("nobody names a project"),
        look: () => assert.fail("nobody names a project"),
      },
    })["event.follow"];
    serveSocket(this.#listener, {
      kindOf: () => "stream",
      call: () => assert.fail("nobody calls"),
      stream: (_name, params, context) =>
        follow(
          params as Parameters<typeof follow>[0],
          context,
        ) as AsyncIterable<JsonObject>,
    }, this.#scope);
  }

  /** A new follower, which is there once it is told of what it has missed: the first event. */
  async follower(): Promise<Follower> {
    const conn = await Deno.connect({ transport: "unix", path: this.path });
    return await Follower.begin(new FrameConnection(conn));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#scope[Symbol.asyncDispose]();
    this.store.close();
    this.#folder[Symbol.dispose]();
  }
}

/** One connection that follows all events. */
class Follower implements Disposable {
  readonly seqs: number[] = [];
  missed = 0;
  gaps = 0;
  readonly #connection: FrameConnection;
  readonly #frames: AsyncGenerator<unknown, void, void>;

  private constructor(connection: FrameConnection) {
    this.#connection = connection;
    this.#frames = connection.frames();
  }

  static async begin(connection: FrameConnection): Promise<Follower> {
    const follower = new Follower(connection);
    await follower.#frames.next();
    connection.send({
      id: 1,
      op: "event.follow",
      params: { tasks: [], cursor: "0" },
    });
    await follower.#next();
    return follower;
  }

  /** Reads on, up to that event. */
  async upTo(seq: number): Promise<void> {
    while ((this.seqs.at(-1) ?? 0) < seq && await this.#next());
  }

  async #next(): Promise<boolean> {
    const { done, value } = await this.#frames.next();
    if (done) return false;
    const { item } = value as { item: { seq?: number; gap?: number } };
    if (item.seq !== undefined) this.seqs.push(item.seq);
    if (item.gap !== undefined) {
      this.gaps++;
      this.missed += item.gap;
    }
    return true;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** Far more than a busy machine needs; whoever waits for a stalled one waits for ever. `bench/` measures. */
const PATIENCE_MS = 10_000;

Deno.test("followers that read nothing delay none of a thousand others", async () => {
  await using source = new Source();
  using stack = new DisposableStack();
  source.bus.publish(eventOf());
  const followers: Follower[] = [];
  for (let n = 0; n < 1_010; n++) {
    followers.push(stack.use(await source.follower()));
  }
  const readers = followers.slice(10);
  const rounds = 20;
  const waits: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const seq = source.store.events.lastSeq + 1;
    const from = performance.now();
    source.bus.publish(eventOf());
    await Promise.all(readers.map(async (reader) => {
      await reader.upTo(seq);
      waits.push(performance.now() - from);
    }));
  }
  const worst = Math.max(...waits);
  assert(worst < PATIENCE_MS, `${worst} ms`);
  const all = Array.from({ length: rounds + 1 }, (_, n) => n + 1);
  for (const reader of readers) assert.deepEqual(reader.seqs, all);
});

Deno.test("a follower that reads nothing costs a bounded queue, and learns how much it missed", async () => {
  await using source = new Source();
  using stack = new DisposableStack();
  source.bus.publish(eventOf());
  const stalled: Follower[] = [];
  for (let n = 0; n < 10; n++) stalled.push(stack.use(await source.follower()));
  const reader = stack.use(await source.follower());
  const event = eventOf({ data: { reason: "x".repeat(500) } });
  const before = Deno.memoryUsage().heapUsed;
  const [batches, batch] = [40, 250];
  for (let n = 0; n < batches; n++) {
    for (let each = 0; each < batch; each++) source.bus.publish(event);
    await reader.upTo(source.store.events.lastSeq);
  }
  const { lastSeq } = source.store.events;
  assert.equal(lastSeq, 1 + batches * batch);
  assert.equal(reader.seqs.length, lastSeq, "the other one had each of them");
  assert.equal(reader.gaps, 0);
  // What is kept for each: at most 1 024 events of about a kilobyte, shared, and what the socket holds.
  const grown = Deno.memoryUsage().heapUsed - before;
  assert(grown < 64 * 1024 * 1024, `${grown} bytes`);
  await Promise.all(stalled.map(async (follower) => {
    await follower.upTo(lastSeq);
    assert.equal(follower.gaps, 1);
    assert.equal(follower.seqs.length + follower.missed, lastSeq);
    assert(follower.missed > 0 && follower.seqs.length > 1_024);
    const sorted = follower.seqs.toSorted((one, other) => one - other);
    assert.deepEqual(follower.seqs, sorted);
    assert.equal(new Set(sorted).size, sorted.length);
  }));
});

Deno.test("two streams of one connection get the same event under their own numbers", async () => {
  await using source = new Source();
  source.bus.publish(eventOf());
  using connection = new FrameConnection(
    await Deno.connect({ transport: "unix", path: source.path }),
  );
  const frames = connection.frames();
  await frames.next();
  for (const id of [4, 7]) {
    connection.send({
      id,
      op: "event.follow",
      params: { tasks: [], cursor: "0" },
    });
  }
  const next = async (): Promise<[number, number]> => {
    const { value } = await frames.next();
    const { id, item } = value as { id: number; item: { seq: number } };
    return [id, item.seq];
  };
  assert.deepEqual([await next(), await next()], [[4, 1], [7, 1]]);
  source.bus.publish(eventOf());
  assert.deepEqual([await next(), await next()], [[4, 2], [7, 2]]);
});
