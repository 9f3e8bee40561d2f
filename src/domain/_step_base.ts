/**
 * Moves that several transitions share.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import type { ErrorShape } from "./error.ts";
import type { EventType } from "./event.ts";
import type { RestartDecision } from "./restart_policy.ts";
import type { Effect, Step } from "./task_input.ts";
import type {
  Phase,
  StartCause,
  StopKind,
  StopPlan,
  TaskMachine,
} from "./task_machine.ts";

/** Tells the performer that desired state, restarts or outcome changed. */
export const PERSIST: Effect = { type: "persist" };

/** Ends the probes of the run. */
export const STOP_PROBING: Effect = { type: "stop_probing" };

/** An event as an effect. */
export function emit(event: EventType, data: JsonObject = {}): Effect {
  return { type: "emit", event, data };
}

/** The machine in another phase. */
export function at(machine: TaskMachine, phase: Phase): TaskMachine {
  return { ...machine, phase };
}

/** A step with effects that come first. */
export function withEffects(
  first: readonly Effect[],
  [machine, rest]: Step,
): Step {
  return [machine, [...first, ...rest]];
}

/** Wanted up, with a fresh series of restarts. */
export function wantedUp(machine: TaskMachine): TaskMachine {
  return {
    ...machine,
    desired: "up",
    manual: false,
    restarts: 0,
    gaveUp: false,
    error: null,
  };
}

/** Wanted up as it was, in the series of restarts in which it is. */
export function stillUp(machine: TaskMachine): TaskMachine {
  return { ...machine, desired: "up", manual: false, error: null };
}

/** Wanted down by hand; a shutdown changes nothing that is wanted. */
export function wantedDown(machine: TaskMachine, kind: StopKind): TaskMachine {
  if (kind === "shutdown") return machine;
  return { ...machine, desired: "down", manual: true };
}

/** Begins a start: a new generation, first the hooks. */
export function prepare(machine: TaskMachine, cause: StartCause): Step {
  const generation = machine.generation + 1;
  return [
    { ...machine, generation, phase: { status: "preparing", cause } },
    [{ type: "run_hook", hook: "before_start", generation }],
  ];
}

/** Whether nobody works at the end of the run: its keeper died, or what was tried has failed. It takes another try. */
export function isNotBeingEnded(
  machine: TaskMachine,
  phase: Phase & { status: "stopping" },
): boolean {
  return phase.stage === "signals" &&
    (phase.kind === "lost" || machine.error !== null);
}

/** Ends the run: the keeper walks the escalation. */
export function signal(
  machine: TaskMachine,
  phase: Phase & { status: "running" | "stopping" },
  plan: StopPlan,
): Step {
  const { run, health } = phase;
  return [
    // What an earlier action met with is not the answer to this one.
    at({ ...machine, error: null }, {
      ...plan,
      status: "stopping",
      stage: "signals",
      run,
      health,
    }),
    [
      STOP_PROBING,
      { type: "terminate", runId: run.runId, isKill: plan.kind === "kill" },
      PERSIST,
    ],
  ];
}

/** The event of a task that was taken down. */
export function stoppedEvent(kind: StopKind): Effect {
  return kind === "kill" ? emit("task_killed") : emit("task_stopped", {
    reason: kind === "shutdown" ? "shutdown" : "manual",
  });
}

/** The event of a task that came to rest by a failure. */
export function failedEvent(error: ErrorShape): Effect {
  return emit("task_failed", {
    error_code: error.error_code,
    reason: error.error,
  });
}

/** What a restart decision is made after. */
export interface Aftermath {
  readonly now: number;
  readonly reason: string;
  /** Where the task rests when it is not restarted. */
  readonly rest: "completed" | "failed";
}

/** Carries out a restart decision for a task of which nothing runs. */
export function obey(
  machine: TaskMachine,
  decision: RestartDecision,
  aftermath: Aftermath,
): Step {
  const { now, reason, rest } = aftermath;
  if (decision.kind === "restart") {
    const counted = { ...machine, restarts: decision.attempt };
    const announced: readonly Effect[] = [
      PERSIST,
      restartEvent(decision, reason),
    ];
    if (decision.delayMs === 0) {
      return withEffects(announced, prepare(counted, "auto"));
    }
    const until = now + decision.delayMs;
    return [at(counted, { status: "backoff", until }), [...announced, {
      type: "wake_at",
      at: until,
    }]];
  }
  if (decision.kind === "give_up") {
    return [
      at({ ...machine, gaveUp: true }, { status: "failed" }),
      [PERSIST, emit("max_restarts_reached", { count: decision.attempts })],
    ];
  }
  if (rest === "completed") {
    return [at({ ...machine, error: null }, { status: "completed" }), [
      PERSIST,
      emit("task_completed"),
    ]];
  }
  return [
    at(machine, { status: "failed" }),
    [PERSIST, emit("task_failed", { reason: machine.error?.error ?? reason })],
  ];
}

/** The event before an automatic restart. */
export function restartEvent(
  decision: RestartDecision & { kind: "restart" },
  reason: string,
): Effect {
  return emit("auto_restart", {
    reason,
    attempt: decision.attempt,
    delay: decision.delayMs / 1000,
  });
}
