/**
 * How long an event takes to a thousand followers, while some of them read nothing.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { permissionFlags } from "../../src/config/permissions.ts";
import type { Sandbox } from "../harness/sandbox.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import { idleTasks } from "../subjects/subject.ts";
import { taskmuxHome } from "../subjects/taskmux.ts";

const PROGRAM = fileURLToPath(
  new URL("../programs/event_followers.ts", import.meta.url),
);

/** Those that read. */
const FOLLOWERS = 1_000;

/** Those that read nothing, one measurement after the other. */
const STALLED = [0, 1, 10];

/** Longest time for an event to all of them, at the 99th of 100. */
const BAR_MS = 100;

interface Delays {
  readonly stalled: number;
  readonly ms: readonly number[];
}

/** The scenario. */
export const eventFanOut: Scenario = { name: "event_fan_out", run };

async function run(context: BenchContext): Promise<Section> {
  const restarts = context.quick ? 10 : 50;
  const measured: Delays[] = [];
  await using session = await context.taskmux.open(idleTasks(1), {
    signal: context.signal,
  });
  await session.start();
  for (const stalled of STALLED) {
    context.tell(`${FOLLOWERS} followers, ${stalled} stalled`);
    measured.push({
      stalled,
      ms: await delays(session.sandbox, { stalled, restarts }),
    });
  }
  return report(measured, restarts);
}

async function delays(
  sandbox: Sandbox,
  { stalled, restarts }: {
    readonly stalled: number;
    readonly restarts: number;
  },
): Promise<number[]> {
  const { daemonSocket } = taskmuxHome(sandbox).paths;
  const flags = permissionFlags({
    read: true,
    write: true,
    net: [`unix:${daemonSocket}`],
  });
  const { code, text } = await sandbox.ask({
    program: "deno",
    args: [
      "run",
      "--quiet",
      ...flags,
      PROGRAM,
      daemonSocket,
      ...[FOLLOWERS, stalled, restarts].map(String),
    ],
  });
  if (code !== 0) throw new Error(`the followers exit with ${code}: ${text}`);
  return JSON.parse(text) as number[];
}

function report(measured: readonly Delays[], restarts: number): Section {
  return {
    title: "Events to a thousand followers",
    how:
      `${FOLLOWERS} connections follow the events of the daemon, and a task is restarted ${restarts} times, ` +
      "which is two events each. Measured from the event's own time to its arrival, in one process that reads all " +
      "of them; the others read nothing at all.",
    columns: ["reading nothing", "p50 ms", "p99 ms", "longest ms"],
    rows: measured.map(({ stalled, ms }) => [
      String(stalled),
      short(median(ms)),
      short(quantile(ms, 0.99)),
      short(quantile(ms, 1)),
    ]),
    bars: measured.filter(({ stalled }) => stalled > 0).map(({ stalled, ms }) =>
      bar(
        `event to ${FOLLOWERS} followers beside ${stalled} stalled, p99`,
        quantile(ms, 0.99),
        { atMost: BAR_MS },
        "ms",
      )
    ),
    remarks: [],
  };
}
