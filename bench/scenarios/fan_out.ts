/**
 * How long an event takes to a thousand subscribers of each kind, and whether others notice.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { permissionFlags } from "../../src/config/permissions.ts";
import { memory } from "../harness/process_facts.ts";
import type { Program, Sandbox } from "../harness/sandbox.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import type { Collected } from "../programs/subscribers.ts";
import type { AgentSession } from "../subjects/agents/agent_subject.ts";
import { agentSubjects } from "../subjects/agents/find_agents.ts";
import { MCP_TARGET, taskmuxAgent } from "../subjects/agents/taskmux_agent.ts";
import { idleTasks } from "../subjects/subject.ts";
import { taskmuxHome } from "../subjects/taskmux.ts";

const SUBSCRIBERS = fileURLToPath(
  new URL("../programs/subscribers.ts", import.meta.url),
);
const RESTARTER = fileURLToPath(
  new URL("../programs/restarter.ts", import.meta.url),
);
const SAMPLER = fileURLToPath(
  new URL("../programs/status_sampler.ts", import.meta.url),
);

/** Subscribers that one process of the client bears. */
const PER_PROCESS = 500;

/** Longest time until all have an event, at the 99th of 100 events. */
const BAR_MS = 100;

/** A way to be told of events. */
interface Way {
  readonly name: string;
  /** As `subscribers.ts` wants it. */
  readonly kind: "mcp" | "ws" | "frames";
  readonly target: string;
  open(context: BenchContext): Promise<AgentSession>;
  /** A port, or the path of a socket. */
  address(session: AgentSession): Promise<string>;
  /** Restarts tasks, one call after the other. */
  restart(
    session: AgentSession,
    options: { readonly times: number; readonly tasks: readonly string[] },
  ): Promise<void>;
  readonly isOwn: boolean;
}

interface Side {
  readonly way: Way;
  /** From an event's own time to each arrival. */
  readonly delays: readonly number[];
  /** For each event, until all had it. */
  readonly untilAll: readonly number[];
  /** Arrivals that are missing. */
  readonly lost: number;
  readonly perSecond: number;
  /** Resident sets of the manager: without subscribers, with them, and after it all; MB. */
  readonly rss: readonly [number, number, number];
  /** `status` over the daemon's socket: without subscribers, and meanwhile; milliseconds. */
  readonly status: readonly [readonly number[], readonly number[]];
}

/** The scenario. */
export const fanOut: Scenario = { name: "fan_out", run };

async function run(context: BenchContext): Promise<Section> {
  const subscribers = context.quick ? 40 : 1_000;
  const sides: Side[] = [];
  const remarks: string[] = [];
  for (const way of waysOf(context)) {
    context.tell(way.name);
    const failure = await failureOf(way, context.signal, async () => {
      await using session = await way.open(context);
      await session.start();
      sides.push(await measure(context, { way, session, subscribers }));
    });
    if (failure !== null) remarks.push(failure);
  }
  return report(sides, { subscribers, remarks });
}

function waysOf(context: BenchContext): Way[] {
  const own = {
    isOwn: true,
    open: (context: BenchContext) =>
      taskmuxAgent().open(idleTasks(20), context.signal),
    restart: async (
      { sandbox }: AgentSession,
      { times, tasks }: Parameters<Way["restart"]>[1],
    ) => {
      const { daemonSocket } = taskmuxHome(sandbox).paths;
      await sandbox.act(
        program(RESTARTER, [daemonSocket, String(times), ...tasks], [
          daemonSocket,
        ]),
      );
    },
  };
  // Beyond the port's gate, which lets no thousand of connections through.
  const http = ({ sandbox }: AgentSession) =>
    Promise.resolve(taskmuxHome(sandbox).paths.httpSocket);
  const socket = ({ sandbox }: AgentSession) =>
    Promise.resolve(taskmuxHome(sandbox).paths.daemonSocket);
  return [
    {
      ...own,
      name: "taskmux, MCP",
      kind: "mcp",
      target: MCP_TARGET,
      address: http,
    },
    {
      ...own,
      name: "taskmux, WebSocket",
      kind: "ws",
      target: "/",
      address: http,
    },
    {
      ...own,
      name: "taskmux, run/daemon.sock",
      kind: "frames",
      target: "",
      address: socket,
    },
    ...pythonWays(context),
  ];
}

function pythonWays(context: BenchContext): Way[] {
  const python = agentSubjects(context)
    .find(({ name }) => name === "Python taskmux");
  if (python === undefined) return [];
  return [{
    name: "Python taskmux, MCP",
    kind: "mcp",
    target: "/mcp/?session=bench",
    isOwn: false,
    open: ({ signal }) => python.open(idleTasks(20), signal),
    address: async ({ sandbox }) => {
      const config = await Deno.readTextFile(
        `${sandbox.root}/.taskmux/config.toml`,
      );
      return /api_port = (\d+)/.exec(config)?.[1] ?? "";
    },
    restart: async ({ sandbox, command }, { times, tasks }) => {
      for (let n = 0; n < times; n++) {
        for (const task of tasks) {
          await sandbox.act(command(["restart", task]));
        }
      }
    },
  }];
}

async function measure(
  { quick }: BenchContext,
  { way, session, subscribers }: {
    readonly way: Way;
    readonly session: AgentSession;
    readonly subscribers: number;
  },
): Promise<Side> {
  const { sandbox } = session;
  const rssOf = async () => (await memory(await session.pids())).rssMb;
  const seconds = quick ? 0.3 : 5;
  const alone = way.isOwn ? await sampleStatus(sandbox, seconds) : [];
  const before = await rssOf();
  await using crowd = await Crowd.gather(sandbox, {
    args: [way.kind, await way.address(session), way.target],
    subscribers,
    sockets: Object.values(taskmuxHome(sandbox).paths)
      .filter((path) => path.endsWith(".sock")),
  });
  // What subscribing itself has set off does not count.
  const early = await crowd.collect();
  const withAll = await rssOf();
  const times = quick ? 5 : way.isOwn ? 25 : 10;
  const sampling = way.isOwn ? sampleStatus(sandbox, seconds) : [];
  await way.restart(session, { times, tasks: ["t000"] });
  const paced = await crowd.collect();
  const status = await sampling;
  const tasks = idleTasks(20).map(({ name }) => name);
  await way.restart(session, { times: 1, tasks });
  const burst = await crowd.collect();
  const late = await crowd.collect();
  const events = Object.values(paced.events);
  return {
    way,
    delays: paced.delays,
    untilAll: events.map(([, latest]) => latest),
    lost: lostOf([paced, burst], { others: [early, late], subscribers }),
    perSecond: burst.delays.length / ((burst.to - burst.from) / 1000),
    rss: [before, withAll, await rssOf()],
    status: [alone, status],
  };
}

/**
 * Arrivals that are missing of the events of some collections. One process of the client may have had an event in one
 * collection, and another in the next.
 */
function lostOf(
  own: readonly Collected[],
  { others, subscribers }: {
    readonly others: readonly Collected[];
    readonly subscribers: number;
  },
): number {
  const names = new Set(own.flatMap(({ events }) => Object.keys(events)));
  return [...names].reduce((lost, name) => {
    const arrived = [...own, ...others]
      .reduce((sum, { events }) => sum + (events[name]?.[0] ?? 0), 0);
    return lost + subscribers - arrived;
  }, 0);
}

async function sampleStatus(
  sandbox: Sandbox,
  seconds: number,
): Promise<number[]> {
  const { daemonSocket } = taskmuxHome(sandbox).paths;
  const config = `${sandbox.root}/project/taskmux.toml`;
  const { text } = await sandbox.ask(
    program(SAMPLER, [daemonSocket, config, String(seconds)], [daemonSocket]),
  );
  return JSON.parse(text) as number[];
}

/** A program of the bench that may talk to these sockets. */
function program(
  path: string,
  args: readonly string[],
  sockets: readonly string[],
): Program {
  const flags = permissionFlags({
    read: true,
    write: true,
    net: ["127.0.0.1", ...sockets.map((socket) => `unix:${socket}`)],
  });
  return { program: "deno", args: ["run", "--quiet", ...flags, path, ...args] };
}

/** All subscribers, in as many processes as they need, and one more of them that reads nothing. */
class Crowd implements AsyncDisposable {
  readonly #members: readonly Member[];

  private constructor(members: readonly Member[]) {
    this.#members = members;
  }

  static async gather(
    sandbox: Sandbox,
    { args, subscribers, sockets }: {
      readonly args: readonly string[];
      readonly subscribers: number;
      readonly sockets: readonly string[];
    },
  ): Promise<Crowd> {
    const members: Member[] = [];
    for (let left = subscribers; left > 0; left -= PER_PROCESS) {
      const stalled = left === subscribers ? 1 : 0;
      const numbers = [Math.min(left, PER_PROCESS), stalled].map(String);
      const member = new Member(
        sandbox,
        program(SUBSCRIBERS, [...args, ...numbers], sockets),
      );
      members.push(member);
      if (await member.line() !== "ready") {
        throw new Error("not everybody could subscribe");
      }
    }
    return new Crowd(members);
  }

  /** What came since the last time, once no more comes. */
  async collect(): Promise<Collected> {
    const parts = await Promise.all(this.#members.map(async (member) => {
      await member.ask();
      return JSON.parse(await member.line()) as Collected;
    }));
    const events: Record<string, readonly [number, number]> = {};
    for (const part of parts) {
      for (const [event, [count, latest]] of Object.entries(part.events)) {
        const [others, later] = events[event] ?? [0, 0];
        events[event] = [others + count, Math.max(later, latest)];
      }
    }
    return {
      delays: parts.flatMap(({ delays }) => delays),
      events,
      from: Math.min(...parts.map((part) => part.from)),
      to: Math.max(...parts.map((part) => part.to)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) await member.end();
  }
}

/** One process of them. */
class Member {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #held = "";

  constructor(sandbox: Sandbox, what: Program) {
    this.#child = sandbox.command(what, {
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  async ask(): Promise<void> {
    await this.#input.write(new TextEncoder().encode("\n"));
  }

  /** The next line it says; empty at the end. */
  async line(): Promise<string> {
    while (!this.#held.includes("\n")) {
      const { value } = await this.#output.read();
      if (value === undefined) return "";
      this.#held += value;
    }
    const end = this.#held.indexOf("\n");
    const line = this.#held.slice(0, end);
    this.#held = this.#held.slice(end + 1);
    return line;
  }

  async end(): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }
}

function report(
  sides: readonly Side[],
  { subscribers, remarks }: {
    readonly subscribers: number;
    readonly remarks: readonly string[];
  },
): Section {
  return {
    title: "Events to subscribers",
    how:
      `${subscribers} subscribers and one more that reads nothing; a task is ` +
      "restarted four times a second, and each of its events goes to all. From " +
      "the event's own time to its arrival, at each of them and at the last " +
      "of them; then 20 tasks are restarted at once, which gives the messages " +
      `a second. The client is Deno, by hand, ${PER_PROCESS} connections a ` +
      "process, on the same two cores. MCP: the stream of a session of its " +
      "own. Beside it the state of the 20 tasks is asked for over the daemon's " +
      "socket, without subscribers and meanwhile.",
    columns: [
      "",
      "p50 ms",
      "p99",
      "until all: p50",
      "p99",
      "lost",
      "messages/s",
      "RSS MB: without",
      "with them",
      "after",
      "status p99 ms: without",
      "meanwhile",
    ],
    rows: sides.map((side) => [
      side.way.name,
      short(median(side.delays)),
      short(quantile(side.delays, 0.99)),
      short(median(side.untilAll)),
      short(quantile(side.untilAll, 0.99)),
      String(side.lost),
      side.perSecond.toFixed(0),
      ...side.rss.map(short),
      ...side.status.map((samples) => short(quantile(samples, 0.99))),
    ]),
    bars: sides.filter(({ way }) => way.isOwn).map(({ way, untilAll }) =>
      bar(
        `event to ${subscribers} (${way.name}) and one stalled, until all, p99`,
        quantile(untilAll, 0.99),
        { atMost: BAR_MS },
        "ms",
      )
    ),
    remarks,
  };
}
