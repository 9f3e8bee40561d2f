/**
 * Probes one run for as long as it is asked to: fast until it is first healthy, then at the task's own pace.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { HealthSpec } from "../domain/task_spec.ts";
import type { ProbeResult } from "../domain/task_state.ts";

/** Pause between readiness probes that cost little. */
const READINESS_POLL_MS = 100;

/** Pause between readiness probes that start a process. */
const READINESS_SHELL_POLL_MS = 250;

/** What a prober needs to know of its run. */
export interface Probing {
  readonly health: HealthSpec;
  readonly clock: Clock;
  /** One probe by the precedence of the design. */
  probeOnce(signal: AbortSignal): Promise<ProbeResult>;
  /** Resolves when the readiness line was seen (true) or the run ended without it (false). */
  waitForReadyLine(signal: AbortSignal): Promise<boolean>;
  /** Gets each result, in order. */
  onResult(result: ProbeResult): void;
}

/** Probes until the signal aborts. Rejects only with the signal's reason. */
export async function probeRun(
  probing: Probing,
  signal: AbortSignal,
): Promise<void> {
  const { health, clock } = probing;
  if (
    health.url === null && health.check === null && health.readyLog !== null
  ) {
    return await awaitReadyLine(probing, signal);
  }
  const fastMs = health.check !== null && health.url === null
    ? READINESS_SHELL_POLL_MS
    : READINESS_POLL_MS;
  let isReady = false;
  while (!signal.aborted) {
    const result = await probing.probeOnce(signal);
    if (signal.aborted) return;
    isReady ||= result.ok;
    probing.onResult(result);
    await clock.sleep(isReady ? health.intervalMs : fastMs, signal);
  }
}

/** Readiness by a line of output. After it, being alive is the evidence. */
async function awaitReadyLine(
  probing: Probing,
  signal: AbortSignal,
): Promise<void> {
  const { health, clock } = probing;
  const found = probing.waitForReadyLine(signal).then((seen) => ({ seen }));
  while (!signal.aborted) {
    const tick = new AbortController();
    const winner = await Promise.race([
      found,
      clock.sleep(health.intervalMs, AbortSignal.any([signal, tick.signal]))
        .then(() => null, () => null),
    ]);
    tick.abort();
    if (signal.aborted) return;
    if (winner === null) {
      probing.onResult(missingLine(health, clock));
      continue;
    }
    if (winner.seen) {
      probing.onResult({
        ok: true,
        method: "log",
        reason: null,
        at: clock.now(),
      });
    }
    return;
  }
}

function missingLine(health: HealthSpec, clock: Clock): ProbeResult {
  return {
    ok: false,
    method: "log",
    reason: `no line matches "${health.readyLog}" yet`,
    at: clock.now(),
  };
}
