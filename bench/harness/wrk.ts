/**
 * Load by `wrk`.
 *
 * @module
 */

import type { Sandbox } from "./sandbox.ts";

/** What wrk found. */
export interface WrkResult {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** What wrk is to do. */
export interface WrkOptions {
  readonly url: string;
  readonly host: string;
  readonly connections: number;
  readonly seconds: number;
}

const UNIT_US: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1_000,
  s: 1_000_000,
};

/** Asks for one address as fast as it is answered. @throws {Error} If an answer is none that counts. */
export async function wrk(
  sandbox: Sandbox,
  { url, host, connections, seconds }: WrkOptions,
): Promise<WrkResult> {
  const { text } = await sandbox.act({
    program: "wrk",
    args: [
      "--latency",
      "-t1",
      `-c${connections}`,
      `-d${seconds}s`,
      "-H",
      `Host: ${host}`,
      url,
    ],
  });
  const errors = /Socket errors.*|Non-2xx.*/.exec(text);
  if (errors !== null) throw new Error(`wrk: ${errors[0].trim()}`);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50Us: percentile(text, "50%"),
    p99Us: percentile(text, "99%"),
  };
}

function percentile(text: string, label: string): number {
  const [, number, unit = ""] = new RegExp(`${label}\\s+([\\d.]+)(us|ms|s)`)
    .exec(text) ?? [];
  return Number(number) * (UNIT_US[unit] ?? NaN);
}
