/**
 * Small requests through the gate of a public task, as a provider's program on this machine delivers them.
 *
 * @module
 */

import { interleave } from "../harness/interleave.ts";
import { openAll } from "../harness/open_proxies.ts";
import type { BenchContext, Scenario, Section } from "../harness/scenario.ts";
import { median, short } from "../harness/statistics.ts";
import { wrk, type WrkResult } from "../harness/wrk.ts";
import { findPlainProxies, taskmuxProxy } from "../subjects/proxies.ts";
import { PROXIED_NAME, type ProxySession } from "../subjects/proxy_subject.ts";
import { taskmuxCommand } from "../subjects/taskmux.ts";

const CONNECTIONS = 32;
const ROUNDS = 3;
const SECONDS = 2;
const WARM_UP_S = 2;
const PUBLIC_NAME = "web.example.com";

/** The scenario. */
export const gateRequests: Scenario = { name: "gate_requests", run };

interface Side {
  readonly name: string;
  readonly url: string;
  readonly host: string;
  readonly session: ProxySession;
  readonly found: WrkResult[];
}

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const own = stack.use(await taskmuxProxy().open(context.signal));
  const others = context.quick ? { running: [], remarks: [] } : await openAll(
    await findPlainProxies(Deno.env.toObject(), context.signal),
    context,
    stack,
  );
  const side = (
    name: string,
    session: ProxySession,
    origin: string,
    host: string = PROXIED_NAME,
  ): Side => ({ name, session, url: `${origin}/small`, host, found: [] });
  const sides = [
    side("taskmux, gate", own, await openGate(own), PUBLIC_NAME),
    side("taskmux, HTTPS proxy", own, `https://127.0.0.1:${own.port}`),
    ...others.running.map(({ subject, session }) =>
      side(subject.name, session, `http://127.0.0.1:${session.port}`)
    ),
    side("no proxy", own, `http://127.0.0.1:${own.upstreamPort}`),
  ];
  for (const each of sides) await load(each, context.quick ? 1 : WARM_UP_S);
  const rounds = context.quick ? 1 : ROUNDS;
  await interleave(sides, rounds, async (each) => {
    context.tell(each.name);
    each.found.push(await load(each, context.quick ? 1 : SECONDS));
  });
  return {
    title: "Requests through the gate of a public task",
    how: `Answers of 100 bytes over HTTP/1.1 by wrk over ${CONNECTIONS} ` +
      "connections: the gate, nginx and Caddy in plain HTTP, the HTTPS proxy " +
      "over TLS 1.3. The gate keeps a log of requests. Medians of " +
      `${2 * rounds} turns of ${
        context.quick ? 1 : SECONDS
      } s, after a warm-up.`,
    columns: ["", "req/s", "× gate", "p50 µs", "p99 µs"],
    rows: rowsOf(sides),
    bars: [],
    remarks: others.remarks,
  };
}

function rowsOf(sides: readonly Side[]): string[][] {
  const middle = ({ found }: Side, field: keyof WrkResult): number =>
    median(found.map((result) => result[field]));
  const gate = middle(sides[0]!, "requestsPerSecond");
  return sides.map((side) => [
    side.name,
    short(middle(side, "requestsPerSecond")),
    short(middle(side, "requestsPerSecond") / gate),
    short(middle(side, "p50Us")),
    short(middle(side, "p99Us")),
  ]);
}

async function load(
  { session: { sandbox }, url, host }: Side,
  seconds: number,
): Promise<WrkResult> {
  return await wrk(sandbox, { url, host, connections: CONNECTIONS, seconds });
}

/** Makes the task public. @returns The origin of its gate. */
async function openGate({ sandbox }: ProxySession): Promise<string> {
  await sandbox.act(
    taskmuxCommand(sandbox, [
      "tunnel",
      "up",
      "web",
      "--via",
      "noop",
      "--hostname",
      PUBLIC_NAME,
    ]),
  );
  const { text } = await sandbox.ask(
    taskmuxCommand(sandbox, ["tunnel", "status", "--json"]),
  );
  const { tunnels } = JSON.parse(text) as {
    readonly tunnels: readonly { readonly origin: string | null }[];
  };
  const origin = tunnels[0]?.origin ?? null;
  if (origin === null) throw new Error(`No gate is open: ${text}`);
  return origin;
}
