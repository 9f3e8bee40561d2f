/**
 * How many files and connections this process may have open.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { runCommand } from "../kit/run_command.ts";

const LIMIT_MS = 10_000;

/** Taken when it cannot be told: what macOS gives to programs. */
const SMALLEST = 256;

/** Connections of the API that a system can have which gives enough descriptors, and which any can. */
const MOST_API_CONNECTIONS = 4_096;
const LEAST_API_CONNECTIONS = 256;

/**
 * How many connections the API may have of a limit. Each costs three descriptors, so this is three sixteenths of them;
 * the proxy has three quarters.
 */
export function apiConnections(limit: number): number {
  const share = Math.min(MOST_API_CONNECTIONS, Math.floor(limit / 16));
  return Math.max(LEAST_API_CONNECTIONS, share);
}

/** Asks a shell, which inherits it. */
export async function descriptorLimit(clock: Clock): Promise<number> {
  const outcome = await runCommand({
    argv: ["/bin/sh", "-c", "ulimit -n"],
    cwd: "/",
    env: { LC_ALL: "C" },
    timeoutMs: LIMIT_MS,
    killGraceMs: 100,
    outputLimitBytes: 64,
    stderr: "discard",
    leftovers: "kill",
    clock,
    signal: new AbortController().signal,
  });
  const text = outcome.kind === "exited" ? outcome.output.trim() : "";
  if (text === "unlimited") return Infinity;
  const limit = Number(text);
  return limit > 0 ? limit : SMALLEST;
}
