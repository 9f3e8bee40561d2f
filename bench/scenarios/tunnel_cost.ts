/**
 * What it takes to make a task public, and what an open tunnel costs while nobody comes. The far side and its program are
 * those of the tests, so what is measured is taskmux with a program that starts as Deno does.
 *
 * @module
 */

import { FakeCloudflare } from "../../tests/support/fake_cloudflare.ts";
import { writeFakePrograms } from "../../tests/support/fake_programs.ts";
import { cpuMs, memory } from "../harness/process_facts.ts";
import type { Program, Sandbox } from "../harness/sandbox.ts";
import type { BenchContext, Scenario, Section } from "../harness/scenario.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import { taskmuxProxy } from "../subjects/proxies.ts";
import { taskmuxCommand, taskmuxPids } from "../subjects/taskmux.ts";

const TURNS = 10;
const IDLE_S = 20;
const SETTLE_S = 3;

const WAYS = {
  "noop": ["--via", "noop", "--hostname", "web.example.com"],
  "cloudflare-quick": ["--via", "cloudflare-quick"],
} as const;

/** The scenario. */
export const tunnelCost: Scenario = { name: "tunnel_cost", run };

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const cloudflare = stack.use(await FakeCloudflare.open({ zones: [] }));
  const { sandbox } = stack.use(await taskmuxProxy().open(context.signal));
  const bin = `${sandbox.root}/bin`;
  await writeFakePrograms(bin, cloudflare.edge);
  const command = (...args: string[]): Program => {
    const asked = taskmuxCommand(sandbox, args);
    const path = `${bin}:${sandbox.env["PATH"]}`;
    return { ...asked, env: { ...asked.env, PATH: path } };
  };
  // The daemon has its PATH from who asks; the modules of tunnels load with the first.
  await sandbox.act(command("tunnel", "up", "web", ...WAYS.noop));
  await sandbox.act(command("tunnel", "down", "web"));
  const idle = await idleOf(sandbox, context);
  const ups = Object.entries(WAYS).map(([via, words]) => ({
    via,
    words,
    found: [] as number[],
  }));
  for (let turn = 0; turn < (context.quick ? 2 : TURNS); turn++) {
    for (const { words, found } of ups) {
      const { ms } = await sandbox.act(
        command("tunnel", "up", "web", ...words),
      );
      found.push(ms);
      await sandbox.act(command("tunnel", "down", "web"));
    }
  }
  await sandbox.act(
    command("tunnel", "up", "web", ...WAYS["cloudflare-quick"]),
  );
  const open = await idleOf(sandbox, context);
  const seconds = context.quick ? 2 : IDLE_S;
  return {
    title: "What a tunnel costs",
    how:
      "`tunnel up` of a task that runs, as a whole command, with a program " +
      "that stands in for cloudflared and starts as Deno does; then " +
      `processor time and memory of the daemon over ${seconds} s in which nobody comes.`,
    columns: ["", "", ""],
    rows: [
      ...ups.map(({ via, found }) => [
        `\`tunnel up --via ${via}\``,
        `p50 ${short(median(found))} ms`,
        `p90 ${short(quantile(found, 0.9))} ms`,
      ]),
      ["daemon, no tunnel", ...idle],
      ["daemon, one open", ...open],
    ],
    bars: [],
    remarks: [],
  };
}

async function idleOf(
  sandbox: Sandbox,
  { quick, signal, tell }: BenchContext,
): Promise<string[]> {
  const seconds = quick ? 2 : IDLE_S;
  tell(`${seconds} s of idling`);
  const { daemon } = await taskmuxPids(sandbox);
  await sandbox.ask(sleep(quick ? 1 : SETTLE_S));
  const before = await cpuMs([daemon]);
  const { ms } = await sandbox.ask(sleep(seconds));
  signal.throwIfAborted();
  const percent = (await cpuMs([daemon]) - before) / ms * 100;
  const { rssMb } = await memory([daemon]);
  return [`${percent.toFixed(2)} % of a core`, `${short(rssMb)} MB RSS`];
}

function sleep(seconds: number): Program {
  return { program: "sleep", args: [String(seconds)] };
}
