/**
 * The evidence that something accepts connections on the task's port.
 *
 * @module
 */

import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { type HealthProbe, timeoutReason } from "./health_probe.ts";

/** A server may listen on either only; `localhost` means both. */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

/** Connects to the port on both loopback addresses at a time; one that accepts is enough. */
export const tcpProbe: HealthProbe = {
  kind: "tcp",
  applies: (target) => target.port !== null,
  check: async (target, { clock, signal }) => {
    const { port } = target;
    if (port === null) return "task has no port";
    try {
      return await withDeadline(
        { clock, ms: target.health.timeoutMs, signal },
        (within) => connectEither(port, within),
      );
    } catch (error) {
      if (error instanceof DeadlineError) return timeoutReason(target);
      throw error;
    }
  },
};

async function connectEither(
  port: number,
  signal: AbortSignal,
): Promise<string | null> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const attempts = await Promise.allSettled(
    LOOPBACK.map(async (hostname) => {
      await connect({ hostname, port, signal: either });
      done.abort();
    }),
  );
  if (done.signal.aborted) return null;
  signal.throwIfAborted();
  const unusual = attempts.find((attempt) =>
    attempt.status === "rejected" && !isNobodyThere(attempt.reason)
  );
  return unusual?.status === "rejected"
    ? `connect failed: ${unusual.reason.message}`
    : `connect refused: nothing listens on port ${port}`;
}

async function connect(
  target: { hostname: string; port: number; signal: AbortSignal },
): Promise<void> {
  using connection = await Deno.connect(target);
  // Without a listener, a port can be connected to itself when the kernel happens to choose it for our end.
  if (connection.localAddr.port === connection.remoteAddr.port) {
    throw new Deno.errors.ConnectionRefused("Port is connected to itself");
  }
}

function isNobodyThere(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    // This machine does not speak that address family.
    error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Deno.errors.NetworkUnreachable;
}
