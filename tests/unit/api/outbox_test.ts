import assert from "node:assert/strict";
import {
  HIGH_WATER_BYTES,
  Outbox,
  OutboxWatch,
  type Sink,
} from "../../../src/api/outbox.ts";
import { systemClock } from "../../../src/kit/clock.ts";

/** A client that reads when the test says so. */
class Client implements Sink {
  readyState: number = WebSocket.OPEN;
  bufferedAmount = 0;
  closed: string | null = null;

  send(text: string): void {
    this.bufferedAmount += text.length;
  }

  close(code: number, reason: string): void {
    this.readyState = WebSocket.CLOSING;
    this.closed = `${code} ${reason}`;
  }
}

function setUp() {
  const client = new Client();
  const time = { now: 0 };
  const clock = { ...systemClock, monotonic: () => time.now };
  const watch = new OutboxWatch(clock);
  const outbox = new Outbox(client, watch);
  /** Whether it is still waited for after the watch has looked. */
  const isPending = async (waiting: Promise<unknown>): Promise<boolean> => {
    let isDone = false;
    const done = waiting.then(() => isDone = true);
    // Resolves at the next look, behind all that wait already.
    await new Outbox(new Client(), watch).flushed();
    await Promise.race([done, Promise.resolve()]);
    return !isDone;
  };
  return { client, time, outbox, isPending };
}

const MEGABYTE = "x".repeat(HIGH_WATER_BYTES);

Deno.test("room() resolves at once up to the mark, then when the client has read", async () => {
  const { client, outbox, isPending } = setUp();
  outbox.send(MEGABYTE);
  assert.equal(await outbox.room(), true);
  outbox.send("more");
  assert.equal(outbox.isFull, true);
  const room = outbox.room();
  client.bufferedAmount = HIGH_WATER_BYTES / 2;
  assert.equal(await isPending(room), true);
  client.bufferedAmount = 1000;
  assert.equal(await room, true);
});

Deno.test("room() sends a client away that does not read for 30 s", async () => {
  const { client, time, outbox, isPending } = setUp();
  outbox.send(`${MEGABYTE}x`);
  const room = outbox.room();
  time.now = 29_000;
  assert.equal(await isPending(room), true);
  time.now = 30_000;
  assert.equal(await room, false);
  assert.equal(client.closed, "1008 reads too slowly");
  assert.equal(outbox.send("late"), false);
});

Deno.test("flushed() waits for what was sent before, not for what comes after", async () => {
  const { client, outbox } = setUp();
  outbox.send("12345");
  const flushed = outbox.flushed();
  outbox.send("67890");
  client.bufferedAmount = 5;
  assert.equal(await flushed, true);
  const lost = outbox.flushed();
  client.readyState = WebSocket.CLOSED;
  assert.equal(await lost, false);
});

Deno.test("send() ends the connection of a client that asks and does not read", () => {
  const { client, outbox } = setUp();
  let sent = 0;
  while (outbox.send(MEGABYTE)) sent++;
  assert.equal(sent, 33);
  assert.equal(client.closed, "1008 reads too slowly");
});
