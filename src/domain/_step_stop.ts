/**
 * Transitions on the way down: stop, kill, restart, and what follows the end of a run that was being stopped.
 *
 * @module
 */

import {
  at,
  isNotBeingEnded,
  PERSIST,
  prepare,
  signal,
  STOP_PROBING,
  stoppedEvent,
  wantedDown,
  wantedUp,
  withEffects,
} from "./_step_base.ts";
import type { Effect, Step } from "./task_input.ts";
import type { Phase, StopPlan, TaskMachine } from "./task_machine.ts";

/** Wanted down, or ended by the daemon. */
export function onStop(
  machine: TaskMachine,
  kind: "stop" | "kill" | "shutdown",
): Step {
  const { phase } = machine;
  const down = wantedDown(machine, kind);
  switch (phase.status) {
    case "stopped":
    case "failed":
    case "completed":
      if (kind === "shutdown") return [machine, []];
      return [at(down, { status: "stopped" }), [PERSIST]];
    case "waiting":
    case "backoff":
      return [at(down, { status: "stopped" }), [PERSIST, stoppedEvent(kind)]];
    case "preparing":
      return [
        at({ ...down, generation: down.generation + 1 }, { status: "stopped" }),
        [{ type: "cancel_hook" }, PERSIST, stoppedEvent(kind)],
      ];
    case "spawning":
      return [
        at(down, {
          ...phase,
          interrupted: kind === "kill" ? kind : phase.interrupted ?? kind,
        }),
        [PERSIST],
      ];
    case "running":
      if (kind === "kill") {
        return signal(down, phase, { kind, restartAfterMs: null });
      }
      return beforeStop(machine, phase, { kind, restartAfterMs: null });
    case "stopping":
      if (isNotBeingEnded(machine, phase)) {
        return signal(down, phase, { kind, restartAfterMs: null });
      }
      return kind === "kill"
        ? killHarder(down, phase)
        : stopHarder(machine, phase, kind);
  }
}

/** The keeper of a run died: the run is as good as gone, yet nobody has said that nothing of it lives. */
export function onLost(machine: TaskMachine, runId: string): Step {
  const { phase } = machine;
  if (phase.status !== "running" || phase.run.runId !== runId) {
    return [machine, []];
  }
  const { run, health } = phase;
  const lost = at({ ...machine, error: null }, {
    status: "stopping",
    stage: "signals",
    kind: "lost",
    run,
    health,
    restartAfterMs: null,
  });
  return [lost, [STOP_PROBING]];
}

/**
 * A stop or shutdown of a task that is already being stopped: it stays down. What cannot be aborted any more stays so: a
 * shutdown makes a stop certain before its hooks have passed, a stop does not soften a shutdown or a kill.
 */
function stopHarder(
  machine: TaskMachine,
  phase: Phase & { status: "stopping" },
  kind: "stop" | "shutdown",
): Step {
  const isTakenBack = phase.restartAfterMs !== null;
  const next = {
    ...phase,
    restartAfterMs: null,
    kind: phase.kind === "shutdown" ||
        (!isTakenBack && phase.stage !== "before")
      ? phase.kind
      : kind,
  };
  if (phase.stage !== "before") {
    return [at(wantedDown(machine, kind), next), [PERSIST]];
  }
  const isByHand = kind === "stop" || (phase.kind === "stop" && !isTakenBack);
  return isByHand && next.kind === "shutdown"
    ? [at(wantedDown(machine, "stop"), next), [PERSIST]]
    : [at(machine, next), []];
}

/** A kill of a task that is already being stopped takes effect at once. */
function killHarder(
  machine: TaskMachine,
  phase: Phase & { status: "stopping" },
): Step {
  const kind = "kill";
  if (phase.stage === "after") {
    return [at(machine, { ...phase, restartAfterMs: null, kind }), [PERSIST]];
  }
  const cancel: readonly Effect[] = phase.stage === "before"
    ? [{ type: "cancel_hook" }]
    : [];
  return withEffects(
    cancel,
    signal(machine, phase, { kind, restartAfterMs: null }),
  );
}

/** Runs the before_stop hooks of a running task; only when they pass does the stop become real. */
function beforeStop(
  machine: TaskMachine,
  phase: Phase & { status: "running" },
  plan: StopPlan,
): Step {
  const { run, health } = phase;
  return [
    at({ ...machine, error: null }, {
      status: "stopping",
      stage: "before",
      run,
      health,
      ...plan,
    }),
    [{
      type: "run_hook",
      hook: "before_stop",
      generation: machine.generation,
    }],
  ];
}

/** Down and up again. */
export function onRestart(
  machine: TaskMachine,
  input: { readonly isUsers: boolean; readonly reason: string },
): Step {
  const { phase } = machine;
  const base = input.isUsers ? wantedUp(machine) : machine;
  switch (phase.status) {
    case "running":
      return withEffects(
        input.isUsers ? [PERSIST] : [],
        beforeStop(base, phase, { kind: "restart", restartAfterMs: 0 }),
      );
    case "stopping":
      if (!input.isUsers) return [machine, []];
      if (isNotBeingEnded(machine, phase)) {
        return signal(base, phase, { kind: "restart", restartAfterMs: 0 });
      }
      return [
        at(base, { ...phase, restartAfterMs: 0, isGated: false }),
        [PERSIST],
      ];
    case "spawning":
      // A changed file does not take back a stop.
      if (!input.isUsers) return [machine, []];
      return [at(base, { ...phase, interrupted: null }), [PERSIST]];
    case "preparing":
    case "waiting":
      return [base, [PERSIST]];
    case "stopped":
    case "completed":
    case "failed":
    case "backoff":
      // A change of a watched file wakes what crashed, never what was stopped.
      if (!input.isUsers && (machine.manual || phase.status === "stopped")) {
        return [machine, []];
      }
      return withEffects(
        [PERSIST],
        prepare(wantedUp(machine), "restart"),
      );
  }
}

/** The end of a run that was being stopped. */
export function endedWhileStopping(
  machine: TaskMachine,
  phase: Phase & { status: "stopping" },
  now: number,
): Step {
  // The leader went while its before_stop hooks ran: nothing is left to stop.
  const cancel: readonly Effect[] = phase.stage === "before"
    ? [{ type: "cancel_hook" }]
    : [];
  const next = phase.restartAfterMs === null
    ? wantedDown(machine, phase.kind)
    : machine;
  if (phase.kind === "kill") {
    return withEffects(cancel, afterStop(next, phase, now));
  }
  return [
    at(next, { ...phase, stage: "after" }),
    [...cancel, PERSIST, {
      type: "run_hook",
      hook: "after_stop",
      generation: machine.generation,
    }],
  ];
}

/** The run is over and its hooks are done: rest, or start again. */
export function afterStop(
  machine: TaskMachine,
  phase: Phase & { status: "stopping" },
  now: number,
): Step {
  if (phase.restartAfterMs === null) {
    return [at(machine, { status: "stopped" }), [
      PERSIST,
      stoppedEvent(phase.kind),
    ]];
  }
  if (phase.isGated === true) {
    return [at(machine, { status: "waiting" }), [PERSIST]];
  }
  const cause = phase.kind === "auto" ? "auto" : "restart";
  if (phase.restartAfterMs === 0) return prepare(machine, cause);
  const until = now + phase.restartAfterMs;
  return [at(machine, { status: "backoff", until }), [{
    type: "wake_at",
    at: until,
  }]];
}
