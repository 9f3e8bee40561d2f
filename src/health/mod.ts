/**
 * Finds out whether a task is healthy. Adding a kind of evidence is one file and one line here.
 *
 * `ready_log` is not among them: it is read from the output as it comes, by whoever has the output.
 *
 * @module
 */

import type { ProbeResult } from "../domain/task_state.ts";
import type {
  Complaint,
  HealthProbe,
  ProbeOptions,
  ProbeTarget,
} from "./health_probe.ts";
import { httpProbe } from "./http_probe.ts";
import { processProbe } from "./process_probe.ts";
import { shellProbe } from "./shell_probe.ts";
import { tcpProbe } from "./tcp_probe.ts";

/** Every kind in the order of precedence. The last applies to everything. */
export const PROBES: readonly HealthProbe[] = [
  httpProbe,
  shellProbe,
  tcpProbe,
  processProbe,
];

/**
 * Probes a task once, with the first kind that applies. A task whose process is gone is not healthy, whatever answers
 * in its place; nothing is asked then.
 *
 * @throws The signal's reason when it aborts; nothing else.
 */
export async function probe(
  target: ProbeTarget,
  options: ProbeOptions,
): Promise<ProbeResult> {
  options.signal.throwIfAborted();
  const chosen = PROBES.find((kind) => kind.applies(target)) ?? processProbe;
  const found = target.alive
    ? await look(chosen, target, options)
    : "process not running";
  const complaint = typeof found === "string" ? { reason: found } : found;
  return {
    ok: complaint === null,
    method: chosen.kind,
    reason: null,
    ...complaint,
    at: options.clock.now(),
  };
}

async function look(
  chosen: HealthProbe,
  target: ProbeTarget,
  options: ProbeOptions,
): Promise<Complaint | string | null> {
  try {
    return await chosen.check(target, options);
  } catch (error) {
    options.signal.throwIfAborted();
    // Such as no more file descriptors. There is no evidence of health, and the next look may succeed.
    if (error instanceof Error) return `cannot probe: ${error.message}`;
    throw error;
  }
}
