/**
 * The evidence of the user's own command.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { safeCut } from "../domain/safe_cut.ts";
import { runCommand } from "../kit/run_command.ts";
import {
  type Complaint,
  type HealthProbe,
  MAX_PROBE_OUTPUT,
  type ProbeTarget,
  timeoutReason,
} from "./health_probe.ts";

/** How long a check that took too long has until it is killed. */
const CHECK_KILL_GRACE_MS = 500;

const CHECK_TAIL_BYTES = 2 * 1024;

/** Longest quotation of the output in a reason. */
const MAX_QUOTE_LENGTH = 200;

/**
 * Runs `health_check` with the task's shell, folder and environment; status 0 is healthy. Whatever the check started is
 * ended with it.
 */
export const shellProbe: HealthProbe = {
  kind: "shell",
  applies: (target) => target.health.check !== null,
  check: async (target, { clock, signal }) => {
    const outcome = await runCommand({
      argv: [target.shell ?? "/bin/sh", "-c", target.health.check ?? ""],
      cwd: target.cwd,
      env: target.env,
      timeoutMs: target.health.timeoutMs,
      killGraceMs: CHECK_KILL_GRACE_MS,
      outputLimitBytes: CHECK_TAIL_BYTES,
      stderr: "merge",
      leftovers: "kill",
      clock,
      signal,
    });
    switch (outcome.kind) {
      case "not_started":
        return outcome.reason;
      case "timed_out":
        return complaint(target, timeoutReason(target), outcome.output);
      case "exited": {
        if (outcome.code === 0) return null;
        const how = outcome.signal === null
          ? `exit ${outcome.code}`
          : `ended by ${outcome.signal}`;
        const line = lastLine(target, outcome.output);
        const reason = line === "" ? how : `${how}: ${line}`;
        return complaint(target, reason, outcome.output);
      }
    }
  },
};

function complaint(
  { redactor }: ProbeTarget,
  reason: string,
  output: string,
): Complaint {
  const text = stripVTControlCharacters(output).trim();
  return text === "" ? { reason } : {
    reason,
    output: safeCut(text, {
      length: MAX_PROBE_OUTPUT,
      redactor,
      keep: "end",
    }),
  };
}

function lastLine({ redactor }: ProbeTarget, output: string): string {
  const lines = stripVTControlCharacters(output).split(/[\r\n]+/)
    .map((line) => line.trim());
  const line = lines.findLast((line) => line !== "") ?? "";
  return safeCut(line, { length: MAX_QUOTE_LENGTH, redactor });
}
