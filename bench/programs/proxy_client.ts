/**
 * A client of a proxy, over one TLS connection after another; prints numbers as JSON.
 *
 * `proxy_client.ts stream PORT N` asks N times for a small streamed body, `websocket PORT N` sends N messages and reads
 * their echoes: milliseconds of each. `idle PORT N` opens N connections, asks once over each, prints `ready`, and keeps
 * them until its input ends.
 *
 * @module
 */

import { connect, type TLSSocket } from "node:tls";
import { readAnswer } from "../../tests/support/raw_answer.ts";
import { Wire } from "../../tests/support/wire.ts";
import { PROXIED_NAME } from "../subjects/proxy_subject.ts";

/** Handshakes at the same time. */
const AT_ONCE = 32;

const WARM_UP = 50;

const [what, port = "", count = ""] = Deno.args;
if (what === "stream") await sample(Number(port), Number(count), askStream);
else if (what === "websocket") {
  await sampleWebSocket(Number(port), Number(count));
} else await holdIdle(Number(port), Number(count));

async function sample(
  port: number,
  count: number,
  ask: (wire: Wire) => Promise<void>,
): Promise<void> {
  const wire = await open(port);
  await measure(count, () => ask(wire));
}

async function sampleWebSocket(port: number, count: number): Promise<void> {
  const wire = await open(port);
  await wire.write(
    `GET /ws HTTP/1.1\r\nHost: ${PROXIED_NAME}:${port}\r\nConnection: Upgrade\r\n` +
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const head = await wire.readHead();
  if (!head.startsWith("HTTP/1.1 101")) throw new Error(head);
  const payload = new Uint8Array(100).fill(120);
  await measure(count, async () => {
    await wire.sendFrame({ payload, isMasked: true });
    await wire.readFrame();
  });
}

async function askStream(wire: Wire): Promise<void> {
  await wire.write(`GET /stream HTTP/1.1\r\nHost: ${PROXIED_NAME}\r\n\r\n`);
  const { line, body } = await readAnswer(wire);
  if (!line.includes(" 200 ") || body.length !== 100) throw new Error(line);
}

async function measure(
  count: number,
  once: () => Promise<void>,
): Promise<void> {
  const samples: number[] = [];
  for (let index = -WARM_UP; index < count; index++) {
    const start = performance.now();
    await once();
    if (index >= 0) samples.push(performance.now() - start);
  }
  console.log(JSON.stringify(samples));
  Deno.exit();
}

async function holdIdle(port: number, count: number): Promise<void> {
  const sockets: TLSSocket[] = [];
  const worker = async (): Promise<void> => {
    while (sockets.length < count) sockets.push(await openIdle(port));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  console.log("ready");
  await Deno.stdin.read(new Uint8Array(1));
  Deno.exit();
}

/** A connection over which one answer has come. */
async function openIdle(port: number): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: PROXIED_NAME,
    rejectUnauthorized: false,
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("the proxy closed a connection")));
  socket.once("secureConnect", () => {
    socket.write(`GET /small HTTP/1.1\r\nHost: ${PROXIED_NAME}\r\n\r\n`);
  });
  socket.once("data", () => resolve());
  await promise;
  return socket;
}

/** Whoever signed the certificate is not the question: this runs without looking at it. */
async function open(port: number): Promise<Wire> {
  const plain = await Deno.connect({ hostname: "127.0.0.1", port });
  plain.setNoDelay(true);
  return new Wire(await Deno.startTls(plain, { hostname: PROXIED_NAME }));
}
