/**
 * The only place where a task changes: a pure function from state and input to state and effects.
 *
 * No clock, no I/O. Each input carries the monotonic time at which it was made. Effects are data; whoever performs
 * them answers with further inputs. An answer that belongs to an earlier generation or run is ignored here, so the
 * performer need not care about races.
 *
 * @module
 */

import {
  at,
  emit,
  PERSIST,
  signal,
  stoppedEvent,
  wantedDown,
  withEffects,
} from "./_step_base.ts";
import { onEnded, onProbed, onWake } from "./_step_run.ts";
import {
  couldNotStart,
  onAdopted,
  onAllow,
  onGate,
  onSpawned,
  onSpawnFailed,
  onStart,
} from "./_step_start.ts";
import { afterStop, onLost, onRestart, onStop } from "./_step_stop.ts";
import type { Effect, Input, Step } from "./task_input.ts";
import { runOf, type TaskMachine } from "./task_machine.ts";
import type { TaskSpec } from "./task_spec.ts";

/** Advances a task by one input. */
export function step(spec: TaskSpec, machine: TaskMachine, input: Input): Step {
  switch (input.type) {
    case "start":
      return onStart(machine, input);
    case "allow":
      return onAllow(machine);
    case "stop":
      return onStop(machine, input.kind);
    case "restart":
      return onRestart(machine, input);
    case "gate":
      return onGate(machine, input.error);
    case "hooked":
      return onHooked(spec, machine, input);
    case "spawned":
      return onSpawned(spec, machine, input);
    case "spawn_failed":
      return onSpawnFailed(spec, machine, input);
    case "ended":
      return onEnded(spec, machine, input);
    case "probed":
      return onProbed(spec, machine, input);
    case "survived":
      if (runOf(machine)?.runId !== input.runId) return [machine, []];
      return [{ ...machine, error: input.error }, []];
    case "rest":
      if (machine.phase.status !== "stopped") return [machine, []];
      return [machine, [PERSIST, stoppedEvent(input.kind)]];
    case "lost":
      return onLost(machine, input.runId);
    case "wake":
      return onWake(machine, input.now);
    case "adopted":
      return onAdopted(spec, machine, input);
  }
}

function onHooked(
  spec: TaskSpec,
  machine: TaskMachine,
  input: Input & { type: "hooked" },
): Step {
  const { phase } = machine;
  if (input.generation !== machine.generation) return [machine, []];
  // Other errors tell why it did not come to the hook.
  const hasFailed = input.error?.error_code === "E400" ||
    input.error?.error_code === "E401";
  const failed: readonly Effect[] = hasFailed
    ? [emit("hook_failed", { hook: input.hook, reason: input.error.error })]
    : [];
  if (phase.status === "preparing" && input.hook === "before_start") {
    if (input.error !== null) {
      return withEffects(
        failed,
        couldNotStart(spec, machine, { error: input.error, now: input.now }),
      );
    }
    return [
      at(machine, {
        status: "spawning",
        cause: phase.cause,
        interrupted: null,
      }),
      [{ type: "spawn", generation: machine.generation }],
    ];
  }
  if (phase.status === "running" && input.hook === "after_start") {
    const error = input.error ?? machine.error;
    return [at({ ...machine, error }, { ...phase, isSettled: true }), failed];
  }
  if (phase.status !== "stopping") return [machine, []];
  if (phase.stage === "before" && input.hook === "before_stop") {
    if (input.error !== null && phase.kind !== "shutdown") {
      const { run, health } = phase;
      return [
        at({ ...machine, error: input.error }, {
          status: "running",
          run,
          health,
          isSettled: true,
        }),
        failed,
      ];
    }
    const next = phase.restartAfterMs === null
      ? wantedDown(machine, phase.kind)
      : machine;
    return withEffects(failed, signal(next, phase, phase));
  }
  if (phase.stage === "after" && input.hook === "after_stop") {
    return withEffects(failed, afterStop(machine, phase, input.now));
  }
  return [machine, []];
}
