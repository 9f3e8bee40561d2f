/**
 * Small requests through proxies, one after another and many at once.
 *
 * @module
 */

import {
  openProxies,
  proxyClient,
  type RunningProxy,
} from "../harness/open_proxies.ts";
import { interleave } from "../harness/interleave.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import { wrk, type WrkResult } from "../harness/wrk.ts";
import { PROXIED_NAME } from "../subjects/proxy_subject.ts";

const MANY = 32;
const ROUNDS = 1;
const WARM_UP_S = 3;

/** A streamed small answer over TLS. */
const STREAM_P99_MS = 10;

/** The scenario. */
export const proxyRequests: Scenario = { name: "proxy_requests", run };

interface Side {
  readonly proxy: RunningProxy;
  /** Without the proxy. */
  readonly direct: WrkResult[];
  readonly one: WrkResult[];
  readonly many: WrkResult[];
  /** Milliseconds. */
  readonly stream: number[];
  readonly websocket: number[];
}

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const { running, remarks } = await openProxies(context, stack);
  const sides = running.map((proxy): Side => ({
    proxy,
    direct: [],
    one: [],
    many: [],
    stream: [],
    websocket: [],
  }));
  for (const { session } of running) {
    // Compilers that learn from what runs have their time.
    await wrk(session.sandbox, {
      url: `https://127.0.0.1:${session.port}/small`,
      host: PROXIED_NAME,
      connections: MANY,
      seconds: context.quick ? 1 : WARM_UP_S,
    });
  }
  const rounds = context.quick ? 1 : ROUNDS;
  await interleave(sides, rounds, (side) => {
    context.tell(side.proxy.subject.name);
    return measure(side, context);
  });
  const own = sides.find(({ proxy }) => proxy.subject.name === "taskmux");
  return {
    title: "Requests through proxies",
    how: `Answers of 100 bytes over TLS 1.3 and HTTP/1.1, asked for by wrk: ` +
      "requests per second and latency over 1 connection and over " +
      `${MANY}; "added" is the median over 1 connection without that of the ` +
      "same server asked directly. Streamed: 100 bytes that come a turn after " +
      "their head. WebSocket: the echo of 100 bytes. Medians of " +
      `${2 * rounds} turns, after a warm-up; p99 of all samples.`,
    columns: [
      "",
      "req/s, 1",
      "p50 µs",
      "p99 µs",
      "added µs",
      `req/s, ${MANY}`,
      "p99 µs",
      "streamed p50 ms",
      "p99 ms",
      "WebSocket p50 ms",
      "p99 ms",
    ],
    rows: sides.map(rowOf),
    bars: [
      bar(
        "streamed 100 bytes over TLS, p99",
        quantile(own?.stream ?? [], 0.99),
        { atMost: STREAM_P99_MS },
        "ms",
      ),
    ],
    remarks,
  };
}

function rowOf(side: Side): string[] {
  const middle = (
    results: readonly WrkResult[],
    field: keyof WrkResult,
  ): number => median(results.map((result) => result[field]));
  const { proxy, direct, one, many, stream, websocket } = side;
  return [
    proxy.subject.name,
    short(middle(one, "requestsPerSecond")),
    short(middle(one, "p50Us")),
    short(middle(one, "p99Us")),
    short(middle(one, "p50Us") - middle(direct, "p50Us")),
    short(middle(many, "requestsPerSecond")),
    short(middle(many, "p99Us")),
    ...[stream, websocket].flatMap((samples) => [
      short(quantile(samples, 0.5)),
      short(quantile(samples, 0.99)),
    ]),
  ];
}

async function measure(
  { proxy: { session }, ...side }: Side,
  { quick }: BenchContext,
): Promise<void> {
  const { sandbox, port, upstreamPort } = session;
  const seconds = quick ? 1 : 4;
  const load = (url: string, connections: number): Promise<WrkResult> =>
    wrk(sandbox, { url, host: PROXIED_NAME, connections, seconds });
  const url = `https://127.0.0.1:${port}/small`;
  side.direct.push(await load(`http://127.0.0.1:${upstreamPort}/small`, 1));
  side.one.push(await load(url, 1));
  side.many.push(await load(url, MANY));
  const count = quick ? 100 : 300;
  for (const what of ["stream", "websocket"] as const) {
    const { code, stdout } = await proxyClient(session, what, { count })
      .output();
    if (code !== 0) continue;
    const samples = JSON.parse(new TextDecoder().decode(stdout)) as number[];
    side[what].push(...samples);
  }
}
