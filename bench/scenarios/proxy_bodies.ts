/**
 * Large bodies through proxies, and what they keep in memory of them.
 *
 * @module
 */

import { openProxies, type RunningProxy } from "../harness/open_proxies.ts";
import { forgetPeak, peakMb } from "../harness/process_facts.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { short } from "../harness/statistics.ts";
import { PROXIED_NAME } from "../subjects/proxy_subject.ts";

const GIGABYTE = 1_000_000_000;

/** What a proxy may hold at most, whatever it passes on. */
const PEAK_MB = 400;

/** The scenario. */
export const proxyBodies: Scenario = { name: "proxy_bodies", run };

const TRANSFERS = [
  { protocol: "--http1.1", direction: "down" },
  { protocol: "--http1.1", direction: "up" },
  { protocol: "--http2", direction: "down" },
  { protocol: "--http2", direction: "up" },
] as const;

type Transfer = typeof TRANSFERS[number];

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const { running, remarks } = await openProxies(context, stack);
  const bytes = context.quick ? GIGABYTE / 10 : GIGABYTE;
  const rows: string[][] = [];
  let ownPeak = NaN;
  for (const { subject, session } of running) {
    context.tell(subject.name);
    const pids = await session.pids();
    await forgetPeak(pids);
    const speeds: number[] = [];
    for (const transfer of TRANSFERS) {
      speeds.push(await transferSpeed({ subject, session }, transfer, bytes));
    }
    const peak = await peakMb(pids);
    if (subject.name === "taskmux") ownPeak = peak;
    rows.push([subject.name, ...speeds.map(short), short(peak)]);
  }
  return {
    title: "Large bodies through proxies",
    how: `${bytes / 1_000_000} MB by curl over TLS, in MB/s, one transfer ` +
      "after the other; the largest resident set of the proxy meanwhile.",
    columns: [
      "",
      "HTTP/1.1 down",
      "up",
      "HTTP/2 down",
      "up",
      "peak RSS MB",
    ],
    rows,
    bars: [
      bar("memory of the daemon", ownPeak, { atMost: PEAK_MB }, "MB RSS"),
    ],
    remarks,
  };
}

/** Megabytes per second; NaN if it fails. */
async function transferSpeed(
  { session: { sandbox, port } }: RunningProxy,
  { protocol, direction }: Transfer,
  bytes: number,
): Promise<number> {
  const isDown = direction === "down";
  const url = `https://${PROXIED_NAME}:${port}`;
  const curl = `curl -fsk ${protocol} --resolve ${PROXIED_NAME}:${port}:` +
    `127.0.0.1 -o /dev/null -w '%{speed_${direction}load}'`;
  const { code, text } = await sandbox.ask({
    program: "/bin/sh",
    args: [
      "-c",
      isDown
        ? `${curl} '${url}/body?${bytes}'`
        : `head -c ${bytes} /dev/zero | ${curl} -T - '${url}/upload'`,
    ],
  });
  return code === 0 ? Number(text) / 1_000_000 : NaN;
}
