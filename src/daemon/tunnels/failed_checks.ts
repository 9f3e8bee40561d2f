/**
 * What a preflight that failed is to the caller.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { TunnelCheck } from "../../tunnels/tunnel_provider.ts";

/** E740 with every check in its details and the first remedy as its hint; null if all of them hold. */
export function failedChecks(
  checks: readonly TunnelCheck[],
): TaskmuxError | null {
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0) return null;
  // What a check is about stands behind the colon of its name, unless it says so itself.
  const details = failed.map(({ name, detail }) => {
    const subject = name.split(":")[1] ?? "";
    return subject === "" || detail.includes(subject)
      ? detail
      : `${subject}: ${detail}`;
  }).join("; ");
  const fix = failed.find((check) => check.fix !== null)?.fix;
  return new TaskmuxError("E740", `Cannot open the tunnel: ${details}`, {
    hint: fix ?? "taskmux tunnel test",
    details: { checks: checks.map((check) => ({ ...check })) },
  });
}
