/**
 * Very many subscribers to events in one process: `subscribers.ts KIND ADDRESS TARGET COUNT STALLED`. The kind is
 * `mcp`, `ws` or `frames`, the address a port or the path of a Unix socket. Those that are stalled read nothing.
 *
 * Says `ready` when all have subscribed. From then on it is asked by a line on its input, for which it waits until no
 * event has come for a while and everybody has each, and prints as JSON what came since it was asked last ({@linkcode Collected}).
 *
 * @module
 */

import {
  type HttpAddress,
  HttpConnection,
} from "../harness/http_connection.ts";
import { connectHttp } from "../harness/mcp_client.ts";

/** What came to all subscribers of this process together. */
export interface Collected {
  /** From an event's own time to each arrival, in milliseconds. */
  readonly delays: readonly number[];
  /** By event: how often it came, and how late at the latest. */
  readonly events: Readonly<Record<string, readonly [number, number]>>;
  /** Milliseconds since the epoch; of the first event's own time, and of the last arrival. */
  readonly from: number;
  readonly to: number;
}

/** How long nothing comes when everything has come. */
const QUIET_MS = 300;

/** How long what somebody has may take to the others. After that it is lost. */
const PATIENCE_MS = 30_000;

/** What of a read may be the beginning of a stamp that ends in the next one. */
const CARRY_LENGTH = 80;

/** Sessions that are begun at a time. */
const LANES = 8;

const STAMP_REGEXP = /(?:"seq": ?(\d+), ?)?"ts": ?"([^"]{20,40})"/g;

const [kind = "", where = "", target = "", ...numbers] = Deno.args;
const [count = 0, stalled = 0] = numbers.map(Number);
const address: HttpAddress = /^\d+$/.test(where)
  ? { port: Number(where) }
  : { path: where };

let delays: number[] = [];
let events = new Map<string, [number, number]>();
let from = Infinity;
let to = 0;

/** Notes how old each event is when it comes. */
async function note(
  read: () => Promise<Uint8Array | null>,
): Promise<void> {
  const decoder = new TextDecoder("latin1");
  let carry = "";
  for (let chunk = await read(); chunk !== null; chunk = await read()) {
    const now = Date.now();
    const text = carry + decoder.decode(chunk);
    let end = 0;
    for (const match of text.matchAll(STAMP_REGEXP)) {
      const [whole, seq = "", ts = ""] = match;
      end = match.index + whole.length;
      arrive(`${seq} ${ts}`, { at: Date.parse(ts), now });
    }
    carry = text.slice(Math.max(end, text.length - CARRY_LENGTH));
  }
}

function arrive(
  event: string,
  { at, now }: { readonly at: number; readonly now: number },
): void {
  const delay = now - at;
  delays.push(delay);
  from = Math.min(from, at);
  to = now;
  const seen = events.get(event);
  if (seen === undefined) events.set(event, [1, delay]);
  else {
    seen[0]++;
    seen[1] = Math.max(seen[1], delay);
  }
}

/** Subscribes. @returns Reads what comes. */
async function subscribe(): Promise<() => Promise<Uint8Array | null>> {
  const connection = kind === "mcp"
    ? await subscribeMcp()
    : kind === "ws"
    ? await subscribeWebSocket()
    : await subscribeFrames();
  return () => connection.read();
}

async function subscribeMcp(): Promise<HttpConnection> {
  const session = await connectHttp({ at: address, target });
  const connection = await session.listen();
  session.forget();
  return connection;
}

async function subscribeWebSocket(): Promise<HttpConnection> {
  const connection = await HttpConnection.open(address);
  const { status } = await connection.begin({
    method: "GET",
    target,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": btoa("0123456789abcdef"),
    },
  });
  if (status !== 101) throw new Error(`the upgrade is answered by ${status}`);
  await connection.write(
    textFrame('{"command":"subscribe","params":{"to":"events"}}'),
  );
  await connection.read();
  return connection;
}

/** A frame of a client, whose mask is made of zeros. */
function textFrame(text: string): Uint8Array {
  const payload = new TextEncoder().encode(text);
  return new Uint8Array([0x81, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);
}

async function subscribeFrames(): Promise<HttpConnection> {
  const connection = await HttpConnection.open(address);
  await connection.write(
    new TextEncoder().encode('{"id":1,"op":"event.follow","params":{}}\n'),
  );
  return connection;
}

async function collect(): Promise<Collected> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let before = -1; before !== delays.length || !isComplete();) {
    if (performance.now() > deadline) break;
    before = delays.length;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
  const collected = { delays, events: Object.fromEntries(events), from, to };
  delays = [];
  events = new Map();
  from = Infinity;
  to = 0;
  return collected;
}

/** Whether everybody has every event that anybody has. */
function isComplete(): boolean {
  return [...events.values()].every(([times]) => times >= count);
}

// Kept, so that they are not closed.
const unread: unknown[] = [];
let left = count + stalled;
await Promise.all(Array.from({ length: LANES }, async () => {
  while (left-- > 0) {
    const read = await subscribe();
    if (unread.length < stalled) unread.push(read);
    else {
      note(read).catch((error) => {
        console.error(error);
        Deno.exit(1);
      });
    }
  }
}));
console.log("ready");
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const _ of lines) console.log(JSON.stringify(await collect()));
Deno.exit(unread.length === stalled ? 0 : 1);
