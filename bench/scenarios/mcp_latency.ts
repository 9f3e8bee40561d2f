/**
 * How long a tool takes to answer, and what sessions cost in memory.
 *
 * @module
 */

import { memory } from "../harness/process_facts.ts";
import type { McpSession } from "../harness/mcp_client.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import type {
  AgentSession,
  AgentSubject,
} from "../subjects/agents/agent_subject.ts";
import { agentSubjects } from "../subjects/agents/find_agents.ts";
import { idleTasks } from "../subjects/subject.ts";

/** Calls under way at a time. */
const LANES = [1, 16] as const;

/** At the 99th of 100, one call after the other: half of what a client waits that confirms the first part of an answer. */
const BAR_MS = 20;

interface Load {
  readonly ms: readonly number[];
  readonly perSecond: number;
}

/** What one manager showed. */
interface Side {
  readonly subject: AgentSubject;
  /** From connecting to the first answer of a tool, of a manager that just started. */
  readonly firstMs: number;
  readonly loads: readonly Load[];
  /** Resident set before the first session, with it, and with the others; MB. */
  readonly rss: {
    readonly before: number;
    readonly one: number;
    readonly many: number;
  };
  readonly sessions: number;
}

/** The scenario. */
export const mcpLatency: Scenario = { name: "mcp_latency", run };

async function run(context: BenchContext): Promise<Section> {
  const sides: Side[] = [];
  const remarks: string[] = [];
  for (const subject of agentSubjects(context)) {
    if (subject.statusTool === null) {
      remarks.push(`${subject.name} ${subject.version} offers no MCP.`);
      continue;
    }
    context.tell(subject.name);
    const failure = await failureOf(subject, context.signal, async () => {
      await using session = await subject.open(idleTasks(20), context.signal);
      await session.start();
      sides.push(await measure(context, subject, session));
    });
    if (failure !== null) remarks.push(failure);
  }
  return report(sides, remarks);
}

async function measure(
  { quick }: BenchContext,
  subject: AgentSubject,
  { connect, pids }: AgentSession,
): Promise<Side> {
  if (connect === null) throw new Error("there is no MCP");
  const before = await rssOf(await pids());
  const startedAt = performance.now();
  await using first = await connect();
  const call = async (session: McpSession): Promise<void> =>
    void await session.request("tools/call", {
      name: subject.statusTool,
      arguments: {},
    });
  await call(first);
  const firstMs = performance.now() - startedAt;
  const one = await rssOf(withOwn(await pids(), [first]));
  // A program for each session is the machine's limit sooner than ours.
  const sessions = quick ? 10 : first.pid === null ? 200 : 20;
  const many = await withMore(
    sessions,
    async (others) => await rssOf(withOwn(await pids(), [first, ...others])),
    { connect, call },
  );
  const loads: Load[] = [];
  for (const lanes of LANES) {
    // What is compiled on the way does not count.
    await load(() => call(first), { lanes, calls: quick ? 20 : 200 });
    loads.push(
      await load(() => call(first), { lanes, calls: quick ? 50 : 2_000 }),
    );
  }
  return { subject, firstMs, loads, rss: { before, one, many }, sessions };
}

/** Does something while there are so many more sessions, each of which has called once. */
async function withMore<T>(
  sessions: number,
  work: (others: readonly McpSession[]) => Promise<T>,
  { connect, call }: {
    readonly connect: () => Promise<McpSession>;
    readonly call: (session: McpSession) => Promise<void>;
  },
): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const others: McpSession[] = [];
  for (let n = 0; n < sessions; n++) {
    const session = stack.use(await connect());
    await call(session);
    others.push(session);
  }
  return await work(others);
}

/** The processes of the manager, and those that are there for a session. */
function withOwn(
  pids: readonly number[],
  sessions: readonly McpSession[],
): number[] {
  return [...new Set([...pids, ...sessions.flatMap(({ pid }) => pid ?? [])])];
}

async function rssOf(pids: readonly number[]): Promise<number> {
  return (await memory(pids)).rssMb;
}

/** Calls again and again. */
async function load(
  ask: () => Promise<void>,
  { lanes, calls }: { readonly lanes: number; readonly calls: number },
): Promise<Load> {
  const ms: number[] = [];
  const startedAt = performance.now();
  let left = calls;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const askedAt = performance.now();
      await ask();
      ms.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - startedAt) / 1000;
  return { ms, perSecond: calls / seconds };
}

function report(sides: readonly Side[], remarks: readonly string[]): Section {
  const [own] = sides;
  return {
    title: "Tools over MCP",
    how:
      "The tool that tells the state of 20 idle tasks, called over one session " +
      "by connections that are kept: one call after the other, and 16 at a " +
      "time. The client is Deno, by hand, on the same two cores. First: from " +
      "connecting to the first answer of a manager that has just started. The " +
      "resident sets are those of all processes of the manager, of a program " +
      "that is there for one session only, too; each session has called once.",
    columns: [
      "",
      "first ms",
      ...LANES.flatMap((lanes) => [
        `p50 ms, ${lanes}`,
        "p99",
        "calls/s",
      ]),
      "RSS before MB",
      "one session",
      "more sessions",
      "MB each",
    ],
    rows: sides.map(({ subject, firstMs, loads, rss, sessions }) => [
      subject.name,
      short(firstMs),
      ...loads.flatMap(({ ms, perSecond }) => [
        short(median(ms)),
        short(quantile(ms, 0.99)),
        perSecond.toFixed(0),
      ]),
      short(rss.before),
      short(rss.one),
      `${sessions}: ${short(rss.many)}`,
      short((rss.many - rss.one) / sessions),
    ]),
    bars: own?.subject.name !== "taskmux" ? [] : [
      bar(
        "p99, one call after the other",
        quantile(own.loads[0]?.ms ?? [], 0.99),
        {
          atMost: BAR_MS,
        },
        "ms",
      ),
    ],
    remarks,
  };
}
