/**
 * What is to become of a tunnel: pure rules over its record, its task and the file.
 *
 * @module
 */

import {
  isAtRest,
  type StopKind,
  type TaskMachine,
} from "../../domain/task_machine.ts";
import type { TaskSpec } from "../../domain/task_spec.ts";
import type { TunnelRecord } from "./tunnel_notes.ts";

/** Ends that somebody asked for. */
const BY_HAND: ReadonlySet<StopKind> = new Set(["stop", "kill", "shutdown"]);

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
  readonly record: Pick<
    TunnelRecord,
    | "task"
    | "backend"
    | "hostname"
    | "standing"
    | "isPaused"
    | "bootId"
  >;
  readonly task: TaskFacts;
  /** Milliseconds until its end; Infinity = it has none. */
  readonly leftMs: number;
  readonly bootId: string;
  /** Whether the daemon takes its tasks down. */
  readonly isEnding: boolean;
}

/** What decides of the task. */
export interface TaskFacts {
  /** Null = the task is no more. */
  readonly machine: TaskMachine | null;
  /** Whether it is down only to come up again. */
  readonly isRestarting: boolean;
  /** The task in the file; null = it is not there, and need not be. */
  readonly inFile: Pick<TaskSpec, "tunnel" | "publicHostname"> | null;
}

/** The verdict. The same facts give the same one. */
export function judgeTunnel(facts: VerdictFacts): TunnelVerdict {
  const { record, task: { machine }, leftMs, isEnding } = facts;
  if (machine === null) return { kind: "drop", because: "task_removed" };
  const isExpired = leftMs <= 0;
  if (record.standing) return judgeStanding(facts, { isExpired });
  if (isExpired) return { kind: "drop", because: "expired" };
  // Nothing is public again after a boot without somebody saying so again.
  if (isEnding || record.bootId !== facts.bootId) {
    return { kind: "drop", because: "daemon_stopped" };
  }
  return isDown(facts.task)
    ? { kind: "drop", because: "task_stopped" }
    : { kind: "open" };
}

function judgeStanding(
  { record, task: of, isEnding }: VerdictFacts,
  { isExpired }: { readonly isExpired: boolean },
): TunnelVerdict {
  const { task } = record;
  const names = {
    backend: of.inFile?.tunnel,
    hostname: of.inFile?.publicHostname,
  };
  if (names.backend !== record.backend || names.hostname !== record.hostname) {
    return {
      kind: "wait",
      state: "off",
      because: "config_changed",
      reason:
        `taskmux.toml no longer says what "taskmux tunnel enable" was told on this machine: ${record.hostname} by ${record.backend}`,
    };
  }
  if (record.isPaused || isExpired) {
    const how = isExpired ? "has expired" : "was closed";
    return {
      kind: "wait",
      state: "off",
      because: isExpired ? "expired" : "down",
      reason: `it ${how}; "taskmux tunnel up ${task}" opens it`,
    };
  }
  if (isEnding || isDown(of)) {
    return {
      kind: "wait",
      state: "waiting",
      because: isEnding ? "daemon_stopped" : "task_stopped",
      reason: `task "${task}" does not run`,
    };
  }
  return { kind: "open" };
}

/** Whether a task is down, or somebody takes it down: not while it only starts again. */
function isDown({ machine, isRestarting }: TaskFacts): boolean {
  if (machine === null) return true;
  if (isRestarting) return false;
  const { phase } = machine;
  switch (phase.status) {
    case "stopping":
      return phase.restartAfterMs === null && BY_HAND.has(phase.kind);
    case "spawning":
      return phase.interrupted !== null;
    default:
      return isAtRest(machine);
  }
}
