/**
 * The evidence that is always there: the process lives.
 *
 * @module
 */

import type { HealthProbe } from "./health_probe.ts";

/** Healthy as long as the process lives. */
export const processProbe: HealthProbe = {
  kind: "proc",
  applies: () => true,
  check: (target, { signal }) =>
    signal.aborted
      ? Promise.reject(signal.reason)
      : Promise.resolve(target.alive ? null : "process not running"),
};
