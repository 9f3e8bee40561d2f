/**
 * The machine this process runs on, for resolvers.
 *
 * @module
 */

import { systemClock } from "../kit/clock.ts";
import { runCommand } from "../kit/run_command.ts";
import type { Machine } from "./resolver.ts";

/** Longest run of a program. `getent` waits longer for a server that is away, which is no answer then. */
const PROGRAM_MS = 3_000;
const KILL_GRACE_MS = 100;
const OUTPUT_LIMIT_BYTES = 16 * 1024;

/** Where system programs are, whatever the user's PATH says: they are run on the user's behalf, perhaps by `sudo`. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
};

/** What the process that asks knows. */
export interface ThisMachineOptions {
  /** The state folder whose names are resolved. */
  readonly home: string;
  /** See {@linkcode loopbackAddresses}. */
  readonly addresses: readonly string[];
  /** Whether this process may run any program. */
  readonly canRun: boolean;
}

/** The machine as it is. */
export function thisMachine(options: ThisMachineOptions): Machine {
  const { home, addresses, canRun } = options;
  return {
    os: Deno.build.os,
    etc: "/etc",
    run: "/run",
    home,
    addresses,
    program: canRun
      ? (argv, signal) =>
        runCommand({
          argv,
          cwd: "/",
          env: ENVIRONMENT,
          timeoutMs: PROGRAM_MS,
          killGraceMs: KILL_GRACE_MS,
          outputLimitBytes: OUTPUT_LIMIT_BYTES,
          stderr: "discard",
          leftovers: "kill",
          clock: systemClock,
          signal,
        })
      : null,
  };
}

/** Addresses of loopback that this machine has: `127.0.0.1`, and `::1` where it can be bound. */
export function loopbackAddresses(): readonly string[] {
  try {
    using _ = Deno.listen({ hostname: "::1", port: 0 });
    return ["127.0.0.1", "::1"];
  } catch (error) {
    // Each system has its own name for a kernel without IPv6.
    if (error instanceof Error) return ["127.0.0.1"];
    throw error;
  }
}
