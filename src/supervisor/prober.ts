/**
 * Probes one run for as long as it is asked to: fast until it is first healthy, then at the task's own pace.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
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
  let reason = `no line matches "${health.readyLog}" yet`;
  let found: Promise<LineNews> | null = probing.waitForReadyLine(signal)
    .then((isSeen) => ({ isSeen }), refusalOf);
  while (!signal.aborted) {
    const tick = new AbortController();
    const pause = clock.sleep(
      health.intervalMs,
      AbortSignal.any([signal, tick.signal]),
    ).then(() => null, () => null);
    const news = await (found === null ? pause : Promise.race([found, pause]));
    tick.abort();
    if (signal.aborted) return;
    if (news !== null && "refusal" in news) {
      // It will never be seen. What that means is for the retries to decide.
      reason = news.refusal;
      found = null;
    } else if (news !== null) {
      if (!news.isSeen) return;
      const at = clock.now();
      probing.onResult({ ok: true, method: "log", reason: null, at });
      return;
    }
    probing.onResult({ ok: false, method: "log", reason, at: clock.now() });
  }
}

/** What came of waiting for the line: whether it was seen, or why nobody can tell. */
type LineNews = { readonly isSeen: boolean } | { readonly refusal: string };

function refusalOf(error: unknown): LineNews {
  if (error instanceof TaskmuxError) return { refusal: error.message };
  throw error;
}
