/**
 * How many questions the DNS server answers, and how many it loses, beside dnsmasq.
 *
 * @module
 */

import { daemonFlags } from "../../src/config/permissions.ts";
import { cpuMs, memory } from "../harness/process_facts.ts";
import { interleave } from "../harness/interleave.ts";
import { Sandbox } from "../harness/sandbox.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { median, short } from "../harness/statistics.ts";
import { taskmuxHome } from "../subjects/taskmux.ts";
import { REPOSITORY } from "../../tests/support/deno_flags.ts";

/** The server alone, in a process with the permissions of the daemon. */
const SERVER = `${REPOSITORY}/tests/fixtures/programs/dns_server.ts`;

/** Different names that are asked for. */
const NAMES = 2_000;

const CLIENTS = "4";
/** Questions under way at the same time. */
const OUTSTANDING = "100";

/** One server. */
interface Side {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly perSecond: number[];
  readonly averageMs: number[];
  readonly cpuMicros: number[];
  lost: number;
}

/** The scenario. */
export const dnsQueries: Scenario = { name: "dns_queries", run };

async function run(context: BenchContext): Promise<Section> {
  await using sandbox = await Sandbox.create(context.signal);
  await using stack = new AsyncDisposableStack();
  const seconds = context.quick ? 2 : 6;
  const sides = [await openOwn(sandbox, stack)];
  const dnsmasq = await openDnsmasq(sandbox, stack);
  if (dnsmasq !== null) sides.push(dnsmasq);
  const questions = await sandbox.write(
    "questions",
    Array.from(
      { length: NAMES },
      (_, index) =>
        `host${index}.shop.localhost ${index % 2 === 0 ? "A" : "AAAA"}\n`,
    )
      .join(""),
  );
  await interleave(sides, context.quick ? 1 : 2, async (side) => {
    context.tell(side.name);
    await measure(side, { sandbox, questions, seconds });
  });
  const rows = await Promise.all(sides.map(rowOf));
  const own = sides[0];
  return {
    title: "DNS questions",
    how: `dnsperf asks by UDP for ${NAMES} names below *.localhost, as ` +
      `${CLIENTS} clients with ${OUTSTANDING} questions under way, ` +
      `${seconds} s a run. The server runs by itself, in a process with the ` +
      "permissions of the daemon.",
    columns: ["", "questions/s", "average ms", "lost", "CPU µs each", "MB"],
    rows,
    bars: [
      bar("questions a second", median(own?.perSecond ?? []), {
        atLeast: 20_000,
      }),
      bar("questions lost", own?.lost ?? NaN, { atMost: 0 }),
    ],
    remarks: dnsmasq === null ? ["dnsmasq is not on this machine"] : [],
  };
}

async function measure(
  side: Side,
  { sandbox, questions, seconds }: {
    readonly sandbox: Sandbox;
    readonly questions: string;
    readonly seconds: number;
  },
): Promise<void> {
  const before = await cpuMs([side.pid]);
  const { code, text } = await sandbox.ask({
    program: "dnsperf",
    args: [
      ...["-s", "127.0.0.1", "-p", String(side.port), "-d", questions],
      ...["-c", CLIENTS, "-q", OUTSTANDING, "-l", String(seconds)],
    ],
  });
  if (code !== 0) throw new Error(`dnsperf exits with ${code}`);
  const number = (pattern: RegExp): number =>
    Number(pattern.exec(text)?.[1] ?? NaN);
  const completed = number(/Queries completed:\s+(\d+)/);
  side.perSecond.push(number(/Queries per second:\s+([\d.]+)/));
  side.averageMs.push(number(/Average Latency \(s\):\s+([\d.]+)/) * 1000);
  side.lost += number(/Queries lost:\s+(\d+)/);
  const used = await cpuMs([side.pid]) - before;
  side.cpuMicros.push(used * 1000 / completed);
}

async function openOwn(
  sandbox: Sandbox,
  stack: AsyncDisposableStack,
): Promise<Side> {
  const { paths } = taskmuxHome(sandbox);
  const child = sandbox.command({
    program: "deno",
    args: ["run", "--quiet", ...daemonFlags(paths), SERVER, "0", "localhost"],
  }, { stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  stack.defer(async () => {
    await child.stdin.close();
    await reader.cancel();
    await child.status;
  });
  const { value } = await reader.read();
  const { port } = JSON.parse(value ?? "null") as { port: number };
  return sideOf("taskmux", port, child.pid);
}

/** Null if it is not on this machine. */
async function openDnsmasq(
  sandbox: Sandbox,
  stack: AsyncDisposableStack,
): Promise<Side | null> {
  if (!await isThere(sandbox, "dnsmasq")) return null;
  const port = freePort();
  const child = sandbox.command({
    program: "dnsmasq",
    args: [
      ...["--keep-in-foreground", "--no-resolv", "--no-hosts", "--pid-file="],
      ...[`--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces"],
      ...["--conf-file=/dev/null", "--address=/localhost/127.0.0.1"],
      "--address=/localhost/::1",
    ],
  }, { stdout: "null", stderr: "null" }).spawn();
  stack.defer(async () => {
    child.kill("SIGTERM");
    await child.status;
  });
  await answering(port);
  return sideOf("dnsmasq", port, child.pid);
}

async function isThere(sandbox: Sandbox, program: string): Promise<boolean> {
  const { code } = await sandbox.ask({
    program: "sh",
    args: ["-c", 'command -v "$1"', "sh", program],
  });
  return code === 0;
}

/** Waits until it listens by TCP, too. */
async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error("dnsmasq does not answer");
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function sideOf(name: string, port: number, pid: number): Side {
  const samples = { perSecond: [], averageMs: [], cpuMicros: [] };
  return { name, port, pid, ...samples, lost: 0 };
}

async function rowOf(side: Side): Promise<string[]> {
  const { rssMb } = await memory([side.pid]);
  return [
    side.name,
    short(median(side.perSecond)),
    short(median(side.averageMs)),
    String(side.lost),
    short(median(side.cpuMicros)),
    short(rssMb),
  ];
}
