/**
 * A program that has no descriptor left for a while, and tells who answers afterwards. To be run with a low `ulimit -n`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { DnsServer } from "../../src/dns/dns_server.ts";
import { Zone } from "../../src/dns/zone.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { FrontPort } from "../../src/transports/front_ports.ts";

const QUESTION = "0018000101000001000000000000016104746573740000010001";

// Deno opens a pipe with the first one, and panics if it cannot.
Deno.addSignalListener("SIGUSR2", () => {});
const errors: string[] = [];
const zone = new Zone("test", ["a.test"]);
await using dns = DnsServer.open({
  port: 0,
  zone: () => zone,
  clock: systemClock,
  onError: (error) => errors.push(String(error)),
});
await using front = await FrontPort.open(
  { bind: "127.0.0.1", port: 0 },
  (socket) => socket.end("hello"),
);
const connect = ({ port }: { readonly port: number }): Promise<Deno.Conn> =>
  Deno.connect({ hostname: "127.0.0.1", port });

const held: Deno.FsFile[] = [];
try {
  while (true) held.push(Deno.openSync("/dev/null"));
} catch (error) {
  if (!(error instanceof Error)) throw error;
}
const lost: Deno.Conn[] = [];
for (const server of [dns, front]) {
  // For the client's end, and none for the other.
  held.pop()?.close();
  lost.push(await connect(server));
}
await systemClock.sleep(200);
for (const file of [...held, ...lost]) file.close();

const buffer = new Uint8Array(64);
using asked = await connect(dns);
await asked.write(Buffer.from(QUESTION, "hex"));
const isAnswered = await asked.read(buffer) !== null;
using greeted = await connect(front);
const count = await greeted.read(buffer) ?? 0;
const greeting = new TextDecoder().decode(buffer.subarray(0, count));
console.log(JSON.stringify({ isAnswered, greeting, errors }));
