/**
 * What a message over a WebSocket costs on its way through the proxy.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Wire } from "../../tests/support/wire.ts";
import { interleave } from "../harness/interleave.ts";
import { Sandbox } from "../harness/sandbox.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import {
  NAME,
  startOthers,
  startTaskmux,
  type Way,
} from "../subjects/web_socket_proxies.ts";

const ECHO = fileURLToPath(
  new URL("../programs/web_socket_echo.ts", import.meta.url),
);

const DIRECT = "direct, no TLS";

/** Bytes of a message. */
const SIZE = 100;

/** Sockets that send at the same time. */
const MANY = 32;

/** Round trips of one socket in one turn. */
const TURN = 500;

interface Side {
  readonly way: Way;
  readonly alone: Wire;
  readonly many: readonly Wire[];
  /** Round trips of the one socket, in milliseconds. */
  readonly samples: number[];
  /** Messages a second of all the others, by turn. */
  readonly rates: number[];
}

/** The scenario. */
export const webSocket: Scenario = { name: "web_socket", run };

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(await Sandbox.create(context.signal));
  const { way, upstream } = await startTaskmux(
    sandbox,
    `exec deno run --quiet --no-prompt --allow-net=127.0.0.1 ${ECHO} $PORT`,
  );
  const { ways, missing } = await startOthers(sandbox, { upstream, stack });
  const direct: Way = { name: DIRECT, port: upstream, ca: null };
  const sides: Side[] = [];
  for (const each of [direct, way, ...ways]) {
    const alone = stack.use(await open(each));
    const many: Wire[] = [];
    while (many.length < MANY) many.push(stack.use(await open(each)));
    sides.push({ way: each, alone, many, samples: [], rates: [] });
    await turn(alone, TURN);
  }
  await interleave(sides, context.quick ? 1 : 5, async (side) => {
    side.samples.push(...await turn(side.alone, TURN));
    const started = performance.now();
    await Promise.all(side.many.map((wire) => turn(wire, TURN / 10)));
    const seconds = (performance.now() - started) / 1_000;
    side.rates.push(MANY * TURN / 10 / seconds);
  });
  return report(sides, missing);
}

/** A WebSocket. */
async function open({ port, ca }: Way): Promise<Wire> {
  const plain = await Deno.connect({ hostname: "127.0.0.1", port });
  plain.setNoDelay(true);
  const wire = new Wire(
    ca === null
      ? plain
      : await Deno.startTls(plain, { hostname: NAME, caCerts: [ca] }),
  );
  await wire.write(
    `GET / HTTP/1.1\r\nHost: ${NAME}:${port}\r\nConnection: Upgrade\r\n` +
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const head = await wire.readHead();
  if (!head.startsWith("HTTP/1.1 101 ")) {
    throw new Error(`Cannot open: ${head}`);
  }
  return wire;
}

/** So many round trips, one after the other. @returns Milliseconds of each. */
async function turn(wire: Wire, count: number): Promise<number[]> {
  const payload = new Uint8Array(SIZE);
  const samples: number[] = [];
  for (let at = 0; at < count; at++) {
    const started = performance.now();
    await wire.sendFrame({ payload, isMasked: true });
    const frame = await wire.readFrame();
    if (frame?.payload.length !== SIZE) throw new Error("Cannot read the echo");
    samples.push(performance.now() - started);
  }
  return samples;
}

function report(
  sides: readonly Side[],
  missing: readonly string[],
): Section {
  const of = (name: string): number =>
    median(sides.find(({ way }) => way.name === name)?.samples ?? []);
  return {
    title: "WebSocket",
    how: `A message of ${SIZE} bytes to a local server and back, over one ` +
      `WebSocket and over ${MANY} that send at the same time; by TLS except ` +
      "for the direct way. Client, server and proxies share the cores.",
    columns: ["", "median ms", "p99", "max", `${MANY} at once: messages/s`],
    rows: sides.map(({ way, samples, rates }) => [
      way.name,
      short(median(samples)),
      short(quantile(samples, 0.99)),
      short(Math.max(...samples)),
      short(median(rates)),
    ]),
    bars: [
      bar(
        "added to a message and its answer",
        of("taskmux") - of(DIRECT),
        { atMost: 0.5 },
        "ms",
      ),
    ],
    remarks: missing.map((name) => `${name} is not installed here`),
  };
}
