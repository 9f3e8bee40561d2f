/**
 * What is to become of a tunnel: pure rules over its record, its task and the file.
 *
 * @module
 */

import { isAtRest } from "../../domain/task_machine.ts";
import type { TaskSpec } from "../../domain/task_spec.ts";
import type { TaskRunner } from "../../supervisor/task_runner.ts";
import type { TunnelRecord } from "./tunnel_notes.ts";

/** Why a tunnel was closed, as `tunnel_closed` tells it. */
export type CloseReason =
  | "down"
  | "expired"
  | "task_stopped"
  | "task_removed"
  | "process_stopped"
  | "config_changed"
  | "daemon_stopped"
  | "disabled"
  | "failed";

/** What is to become of it. */
export type TunnelVerdict =
  | { readonly kind: "open" }
  /** It stands, and is closed for now. */
  | {
    readonly kind: "wait";
    readonly state: "waiting" | "off";
    readonly reason: string;
    readonly because: CloseReason;
  }
  /** It is over. */
  | { readonly kind: "drop"; readonly because: CloseReason };

/** What decides. */
export interface VerdictFacts {
  readonly record: TunnelRecord;
  /** Null = the task is no more. */
  readonly runner: TaskRunner | null;
  /** The task in the file; undefined = it is not there. */
  readonly inFile: TaskSpec | undefined;
  /** Wall milliseconds. */
  readonly now: number;
  readonly bootId: string;
  /** Whether the daemon takes its tasks down. */
  readonly isEnding: boolean;
}

/** The verdict. The same facts give the same one. */
export function judgeTunnel(facts: VerdictFacts): TunnelVerdict {
  const { record, runner, inFile, now, bootId, isEnding } = facts;
  const { task, standing, expiresAt } = record;
  if (runner === null) return { kind: "drop", because: "task_removed" };
  if (expiresAt !== null && now >= expiresAt) {
    return { kind: "drop", because: "expired" };
  }
  if (!standing) {
    // Nothing is public again after a boot without somebody saying so again.
    if (record.bootId !== bootId) {
      return { kind: "drop", because: "daemon_stopped" };
    }
    return isAtRest(runner.machine)
      ? { kind: "drop", because: isEnding ? "daemon_stopped" : "task_stopped" }
      : { kind: "open" };
  }
  const names = { backend: inFile?.tunnel, hostname: inFile?.publicHostname };
  if (names.backend !== record.backend || names.hostname !== record.hostname) {
    return {
      kind: "wait",
      state: "off",
      because: "config_changed",
      reason:
        `taskmux.toml no longer says what "taskmux tunnel enable" was told on this machine: ${record.hostname} by ${record.backend}`,
    };
  }
  if (record.isPaused) {
    return {
      kind: "wait",
      state: "off",
      because: "down",
      reason: `it was closed by hand; "taskmux tunnel up ${task}" opens it`,
    };
  }
  if (isAtRest(runner.machine)) {
    return {
      kind: "wait",
      state: "waiting",
      because: isEnding ? "daemon_stopped" : "task_stopped",
      reason: `task "${task}" does not run`,
    };
  }
  return { kind: "open" };
}
