/**
 * The state of the machine behind one task, and what may be told of it. The transitions are in `step.ts`.
 *
 * @module
 */

import type { ErrorShape } from "./error.ts";
import type { TaskSpec } from "./task_spec.ts";
import type { Desired, DisplayState, Exit, RunInfo } from "./task_state.ts";
import { exitText } from "./task_state.ts";
import type { TaskSnapshot, WaitingFor } from "./task_view.ts";
import { hasProbe, healthWord, type TaskHealth } from "./task_health.ts";

/** Why a run was or is to be started. */
export type StartCause = "start" | "restart" | "auto";

/**
 * How a running task is being ended. `auto` is the supervisor's own doing, `shutdown` the daemon's; `lost` is nobody's
 * will: its keeper died, and what is left of it is being found and ended.
 */
export type StopKind =
  | "stop"
  | "kill"
  | "restart"
  | "auto"
  | "shutdown"
  | "lost";

/** How a run is ended and what follows. */
export interface StopPlan {
  readonly kind: StopKind;
  /** Null = stay down; else start again after this delay. */
  readonly restartAfterMs: number | null;
  /** Whether the next start has to wait for the dependencies. */
  readonly isGated?: boolean;
}

/** Where a task is in its life. Times are monotonic milliseconds. */
export type Phase =
  | { readonly status: "stopped" }
  | { readonly status: "completed" }
  | { readonly status: "failed" }
  /** Wanted up; its dependencies do not allow it yet. */
  | { readonly status: "waiting" }
  /** before_start hooks run. */
  | { readonly status: "preparing"; readonly cause: StartCause }
  | {
    readonly status: "spawning";
    readonly cause: StartCause;
    /** What was asked meanwhile; done as soon as the spawn is over. */
    readonly interrupted: "stop" | "kill" | "shutdown" | null;
    /** Ends that arrived meanwhile. The keeper may tell the end of a run before it answers the spawn. */
    readonly ended?: readonly RunEnded[];
  }
  | {
    readonly status: "running";
    readonly run: RunInfo;
    readonly health: TaskHealth;
    /** Whether the after_start hooks are done. */
    readonly isSettled: boolean;
  }
  | StopPlan & {
    readonly status: "stopping";
    readonly run: RunInfo;
    readonly health: TaskHealth;
    readonly stage: "before" | "signals" | "after";
  }
  | { readonly status: "backoff"; readonly until: number };

/** The end of a run. */
export interface RunEnded {
  readonly runId: string;
  readonly exit: Exit;
}

/** The whole state of one task. */
export interface TaskMachine {
  /** Grows with every start; late answers of an earlier one are told by it. */
  readonly generation: number;
  readonly desired: Desired;
  /** Stopped by hand: nothing but a start by hand brings it up. */
  readonly manual: boolean;
  /** Automatic restarts in this series. */
  readonly restarts: number;
  readonly gaveUp: boolean;
  readonly lastExit: Exit | null;
  /** Why the last action or run failed; null after a success. */
  readonly error: ErrorShape | null;
  readonly phase: Phase;
}

/** A task that was never started. */
export const NEW_MACHINE: TaskMachine = {
  generation: 0,
  desired: "down",
  manual: false,
  restarts: 0,
  gaveUp: false,
  lastExit: null,
  error: null,
  phase: { status: "stopped" },
};

/** Whether the machine is at rest: nothing runs and nothing will start by itself. */
export function isAtRest(machine: TaskMachine): boolean {
  const { status } = machine.phase;
  return status === "stopped" || status === "completed" || status === "failed";
}

/** The present run, if any; over already when its after_stop hooks run. */
export function runOf(machine: TaskMachine): RunInfo | null {
  const { phase } = machine;
  return phase.status === "running" || phase.status === "stopping"
    ? phase.run
    : null;
}

/** The run that is known to have processes: its keeper lives, and has not told of its end. */
function liveRun(machine: TaskMachine): RunInfo | null {
  const { phase } = machine;
  const isOver = phase.status === "stopping" &&
    (phase.stage === "after" || phase.kind === "lost");
  return isOver ? null : runOf(machine);
}

/** The word a user sees. */
export function displayState(
  spec: TaskSpec,
  machine: TaskMachine,
): DisplayState {
  const { phase } = machine;
  switch (phase.status) {
    case "preparing":
    case "spawning":
      return "starting";
    case "running":
      if (!hasProbe(spec.health, phase.run.port)) return "running";
      return healthWord(spec.health, phase.health);
    default:
      return phase.status;
  }
}

/** What is outside of the machine but belongs into a snapshot. */
export interface SnapshotContext {
  readonly now: number;
  readonly waitingFor: readonly WaitingFor[];
  readonly configChanged: boolean;
}

/** The machine as others may see it. */
export function snapshotTask(
  spec: TaskSpec,
  machine: TaskMachine,
  context: SnapshotContext,
): TaskSnapshot {
  const { phase } = machine;
  const state = displayState(spec, machine);
  return {
    state,
    run: liveRun(machine),
    healthy: phase.status === "running" && phase.health.last?.ok === true,
    lastHealth: phase.status === "running" ? phase.health.last : null,
    lastExit: machine.lastExit,
    restartCount: machine.restarts,
    manual: machine.manual,
    reason: reasonOf(spec, machine, state),
    waitingFor: phase.status === "waiting" ? context.waitingFor : [],
    restartInMs: phase.status === "backoff"
      ? Math.max(0, phase.until - context.now)
      : null,
    configChanged: context.configChanged,
  };
}

function reasonOf(
  spec: TaskSpec,
  machine: TaskMachine,
  state: DisplayState,
): string | null {
  const { phase } = machine;
  if (phase.status === "running") {
    const { last } = phase.health;
    if (state === "unhealthy" && machine.gaveUp) {
      return `${
        last?.reason ?? "unhealthy"
      }; gave up after ${machine.restarts} restarts`;
    }
    return last !== null && !last.ok ? last.reason : null;
  }
  if (phase.status === "stopping" && phase.kind === "lost") {
    return "taskmux's keeper died; what is left of the task is being ended";
  }
  if (phase.status === "failed" || phase.status === "backoff") {
    const why = machine.error?.error ??
      (machine.lastExit === null ? "it failed" : exitText(machine.lastExit));
    return machine.gaveUp
      ? `${why}; gave up after ${machine.restarts} restarts (max_restarts = ${spec.restart.maxRestarts})`
      : why;
  }
  return null;
}
