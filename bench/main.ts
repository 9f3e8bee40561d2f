/**
 * `deno task bench`: measures taskmux and, beside it, the other managers it finds; writes `bench/RESULTS.md`.
 *
 * `--quick` is a minute without the others that only prints. `--only NAME,NAME` runs some scenarios and prints, too.
 * `--once` does not wait until others leave the machine alone. `--output FILE` writes there in each case. Others are found by `subjects/find_subjects.ts`. Works on Linux.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { REPOSITORY } from "../tests/support/deno_flags.ts";
import { describeMachine, loadText } from "./harness/machine.ts";
import { busyShare } from "./harness/process_facts.ts";
import {
  countBars,
  type MeasuredSection,
  NOISY_SHARE,
  renderReport,
} from "./harness/report.ts";
import type { BenchContext, Scenario, Section } from "./harness/scenario.ts";
import { agentTokens } from "./scenarios/agent_tokens.ts";
import { answerTokens } from "./scenarios/answer_tokens.ts";
import { crashRestart } from "./scenarios/crash_restart.ts";
import { cursorPolling } from "./scenarios/cursor_polling.ts";
import { dnsQueries } from "./scenarios/dns_queries.ts";
import { errorDigest } from "./scenarios/error_digest.ts";
import { eventFanOut } from "./scenarios/event_fan_out.ts";
import { fanOut } from "./scenarios/fan_out.ts";
import { gateRequests } from "./scenarios/gate_requests.ts";
import { idleCost } from "./scenarios/idle_cost.ts";
import { logSearch } from "./scenarios/log_search.ts";
import { mcpLatency } from "./scenarios/mcp_latency.ts";
import { proxyBodies } from "./scenarios/proxy_bodies.ts";
import { proxyIdle } from "./scenarios/proxy_idle.ts";
import { proxyRequests } from "./scenarios/proxy_requests.ts";
import { ptyIngest } from "./scenarios/pty_ingest.ts";
import { roundTrip } from "./scenarios/round_trip.ts";
import { startMany } from "./scenarios/start_many.ts";
import { statusFlood } from "./scenarios/status_flood.ts";
import { tunnelCost } from "./scenarios/tunnel_cost.ts";
import { webSocket } from "./scenarios/web_socket.ts";
import { findSubjects, versionOf } from "./subjects/find_subjects.ts";
import { taskmux } from "./subjects/taskmux.ts";

const SCENARIOS: readonly Scenario[] = [
  roundTrip,
  ptyIngest,
  crashRestart,
  startMany,
  idleCost,
  statusFlood,
  logSearch,
  cursorPolling,
  errorDigest,
  answerTokens,
  agentTokens,
  mcpLatency,
  eventFanOut,
  fanOut,
  dnsQueries,
  proxyRequests,
  proxyBodies,
  proxyIdle,
  webSocket,
  gateRequests,
  tunnelCost,
];

/** How long to look whether others use the machine, and how long if it does not matter. */
const LOOK_MS = 1_000;
const QUICK_LOOK_MS = 100;

/** How often a scenario is measured at most, if others are at work on the machine. */
const ATTEMPTS = 3;

/** How long a calm moment is waited for before each scenario. */
const CALM_MS = 60_000;

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interrupted.abort());
}
Deno.exit(await main(interrupted.signal));

async function main(signal: AbortSignal): Promise<number> {
  try {
    return await run(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    console.error("Interrupted; everything that was started has been ended");
    return 130;
  }
}

async function run(signal: AbortSignal): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      once: { type: "boolean", default: false },
      only: { type: "string" },
      output: { type: "string" },
    },
  });
  const scenarios = chosen(values.only);
  const found = await findSubjects(Deno.env.toObject(), signal);
  const peers = values.quick ? [] : found.peers;
  const context: BenchContext = {
    taskmux: taskmux(),
    peers,
    ripgrep: found.ripgrep,
    quick: values.quick,
    once: values.quick || values.once,
    signal,
    tell: (text) => console.error(`  ${text}`),
  };
  const date = new Date().toISOString().slice(0, 16).replace("T", " ");
  const loadBefore = loadText();
  const sections = await measureAll(scenarios, context);
  const page = renderReport({
    facts: [
      ["date", `${date} UTC`],
      ...await describeMachine(),
      ["load average before, after", `${loadBefore}, ${loadText()}`],
      ...[context.taskmux, ...peers].map(({ name, version }) =>
        [name, version] as const
      ),
      ...found.ripgrep === null ? [] : [
        [
          "ripgrep",
          await versionOf(found.ripgrep, ["--version"], signal),
        ] as const,
      ],
    ],
    sections,
    missing: values.quick ? [] : found.missing,
    settings: [context.taskmux, ...peers].map(({ name, settings }) =>
      [name, settings] as const
    ),
  });
  const isWhole = !values.quick && values.only === undefined;
  const path = values.output ??
    (isWhole ? `${REPOSITORY}/bench/RESULTS.md` : null);
  if (path === null) console.log(page);
  else await writePage(path, page);
  const { met, missed, open } = countBars(sections);
  console.log(`${met} bars met, ${missed} missed, ${open} not measured`);
  return sections.every(({ section }) => section.rows.length > 0) ? 0 : 1;
}

/** Writes the page in the form that the check of all files asks for. */
async function writePage(path: string, page: string): Promise<void> {
  await Deno.writeTextFile(path, page);
  await new Deno.Command("deno", { args: ["fmt", "--quiet", path] }).output();
}

function chosen(only: string | undefined): readonly Scenario[] {
  if (only === undefined) return SCENARIOS;
  const names = only.split(",");
  const unknown = names.find((name) =>
    !SCENARIOS.some((scenario) => scenario.name === name)
  );
  if (unknown !== undefined) {
    const known = SCENARIOS.map(({ name }) => name).join(", ");
    throw new Error(`There is no scenario "${unknown}", only ${known}`);
  }
  return SCENARIOS.filter(({ name }) => names.includes(name));
}

/** Waits until others leave the machine alone, though not for ever. @returns The share of it that they use then. */
async function calm(context: BenchContext): Promise<number> {
  const deadline = performance.now() + (context.once ? 0 : CALM_MS);
  while (true) {
    context.signal.throwIfAborted();
    const share = await look(context);
    if (share <= NOISY_SHARE || performance.now() >= deadline) return share;
  }
}

async function look({ quick }: BenchContext): Promise<number> {
  return await busyShare(quick ? QUICK_LOOK_MS : LOOK_MS);
}

async function measureAll(
  scenarios: readonly Scenario[],
  context: BenchContext,
): Promise<MeasuredSection[]> {
  const sections: MeasuredSection[] = [];
  for (const scenario of scenarios) {
    console.error(scenario.name);
    sections.push(await measureInCalm(scenario, context));
  }
  return sections;
}

/** A scenario that fails is a section that says so, and does not take the others with it. */
async function runScenario(
  scenario: Scenario,
  context: BenchContext,
): Promise<Section> {
  try {
    return await scenario.run(context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    console.error(error);
    return {
      title: scenario.name,
      how: "Could not be measured.",
      columns: [],
      rows: [],
      bars: [],
      remarks: [error.message],
    };
  }
}

/** Measures; again if others turned out to be at work meanwhile, though not for ever. */
async function measureInCalm(
  scenario: Scenario,
  context: BenchContext,
): Promise<MeasuredSection> {
  for (let attempt = 1;; attempt++) {
    const busyBefore = await calm(context);
    const startedAt = performance.now();
    const section = await runScenario(scenario, context);
    const seconds = (performance.now() - startedAt) / 1000;
    const busyAfter = await look(context);
    const isLast = context.once || attempt === ATTEMPTS;
    if (Math.max(busyBefore, busyAfter) <= NOISY_SHARE || isLast) {
      return { section, busyBefore, busyAfter, seconds, attempt };
    }
    context.tell("again, as others were at work");
  }
}
