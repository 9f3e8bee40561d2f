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
