/**
 * What connections cost a proxy over which nothing is asked.
 *
 * @module
 */

import {
  openProxies,
  proxyClient,
  type RunningProxy,
} from "../harness/open_proxies.ts";
import { memory } from "../harness/process_facts.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { short } from "../harness/statistics.ts";

const SOCKETS = 10_000;

const SOCKET_KB = 64;

/** The scenario. */
export const proxyIdle: Scenario = { name: "proxy_idle", run };

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const { running, remarks } = await openProxies(context, stack);
  const count = context.quick ? SOCKETS / 20 : SOCKETS;
  const rows: string[][] = [];
  let own = NaN;
  for (const proxy of running) {
    context.tell(proxy.subject.name);
    const { before, after } = await measure(proxy, count);
    const each = (after - before) * 1_000 / count;
    if (proxy.subject.name === "taskmux") own = each;
    rows.push([
      proxy.subject.name,
      short(before),
      short(after),
      short(each),
    ]);
  }
  return {
    title: `Memory of a proxy with ${count} idle connections`,
    how: "Resident set before and while a client keeps that many connections " +
      "over TLS and HTTP/1.1 open, each after one answer.",
    columns: ["", "before MB", "with them MB", "KB per connection"],
    rows,
    bars: [bar("per connection", own, { atMost: SOCKET_KB }, "KB")],
    remarks,
  };
}

/** NaN = they could not be held. */
async function measure(
  { session }: RunningProxy,
  count: number,
): Promise<{ readonly before: number; readonly after: number }> {
  const pids = await session.pids();
  const before = (await memory(pids)).rssMb;
  const client = proxyClient(session, "idle", { count, stdin: "piped" })
    .spawn();
  const reader = client.stdout.getReader();
  const { done } = await reader.read();
  const after = done ? NaN : (await memory(pids)).rssMb;
  reader.releaseLock();
  await client.stdin.close();
  await client.stdout.cancel();
  await client.status;
  return { before, after };
}
