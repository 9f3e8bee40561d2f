/**
 * Waits until somebody answers on a port of this machine: by connecting, which costs a tenth of asking who listens.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";

/** Pause between two tries. */
const POLL_MS = 100;

/** Errors that say that nobody is there, or not yet. */
const ABSENCES = [
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
  Deno.errors.AddrNotAvailable,
  Deno.errors.TimedOut,
  Deno.errors.NetworkUnreachable,
];

/**
 * Resolves when a connection to the port comes about on a loopback address. Nothing is said on it.
 *
 * @throws The signal's reason.
 */
export async function untilPortAnswers(
  port: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  do await clock.sleep(POLL_MS, signal); while (
    !await answers("127.0.0.1", port) && !await answers("::1", port)
  );
}

async function answers(hostname: string, port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname, port });
    return true;
  } catch (error) {
    if (ABSENCES.some((kind) => error instanceof kind)) return false;
    // A machine without IPv6 has no such addresses.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
