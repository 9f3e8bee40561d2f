/**
 * Transitions on the way up: start, gate, before_start hooks, spawn, adoption.
 *
 * @module
 */

import {
  at,
  emit,
  failedEvent,
  obey,
  PERSIST,
  prepare,
  signal,
  stoppedEvent,
  wantedUp,
  withEffects,
} from "./_step_base.ts";
import type { ErrorShape } from "./error.ts";
import { decideAfterFailure, HEALTHY_RESET_MS } from "./restart_policy.ts";
import { hasProbe, unknownHealth } from "./task_health.ts";
import type { Effect, Input, Step } from "./task_input.ts";
import type { Phase, StartCause, TaskMachine } from "./task_machine.ts";
import type { TaskSpec } from "./task_spec.ts";
import type { RunInfo } from "./task_state.ts";

export function onStart(machine: TaskMachine, isGated: boolean): Step {
  const wanted = wantedUp(machine);
  const { phase } = machine;
  switch (phase.status) {
    case "stopped":
    case "completed":
    case "failed":
    case "backoff":
    case "waiting":
      if (isGated) return [at(wanted, { status: "waiting" }), [PERSIST]];
      return withEffects([PERSIST], prepare(wanted, "start"));
    case "spawning":
      return [at(wanted, { ...phase, interrupted: null }), [PERSIST]];
    case "stopping":
      return [at(wanted, { ...phase, restartAfterMs: 0 }), [PERSIST]];
    case "preparing":
    case "running":
      return [wanted, [PERSIST]];
  }
}

export function onGate(machine: TaskMachine, error: ErrorShape | null): Step {
  if (machine.phase.status !== "waiting") return [machine, []];
  if (error === null) return prepare(machine, "start");
  return [
    at({ ...machine, error }, { status: "failed" }),
    [PERSIST, failedEvent(error)],
  ];
}

export function onSpawned(
  spec: TaskSpec,
  machine: TaskMachine,
  input: Input & { type: "spawned" },
): Step {
  const { phase } = machine;
  if (phase.status !== "spawning" || input.generation !== machine.generation) {
    // Nobody waits for this run any more; it must not live on.
    return [machine, [{
      type: "terminate",
      runId: input.run.runId,
      isKill: true,
    }]];
  }
  const [running, effects] = become(spec, machine, {
    run: input.run,
    now: input.now,
    ageMs: 0,
  });
  const started = emit(
    phase.cause === "start" ? "task_started" : "task_restarted",
    {
      pid: input.run.pid,
      run_id: input.run.runId,
      ...(input.run.port === null ? {} : { port: input.run.port }),
    },
  );
  if (phase.interrupted !== null) {
    const kind = phase.interrupted;
    return withEffects(
      [started],
      signal(running, running.phase as Phase & { status: "running" }, {
        kind,
        restartAfterMs: null,
      }),
    );
  }
  return [running, [
    started,
    ...effects,
    { type: "run_hook", hook: "after_start", generation: machine.generation },
  ]];
}

/** The running phase of a run that was just spawned or found alive. */
function become(
  spec: TaskSpec,
  machine: TaskMachine,
  found: {
    readonly run: RunInfo;
    readonly now: number;
    readonly ageMs: number;
  },
): Step {
  const { run, now, ageMs } = found;
  const unknown = unknownHealth(now - ageMs);
  const isProbed = hasProbe(spec.health, run.port);
  const health = isProbed ? unknown : {
    ...unknown,
    isReady: true,
    healthySince: now - ageMs,
    last: {
      ok: true,
      method: "proc",
      reason: null,
      at: run.startedAt,
    } as const,
  };
  const effects: Effect[] = isProbed ? [{ type: "start_probing", run }] : [];
  if (!isProbed && machine.restarts > 0) {
    effects.push({ type: "wake_at", at: now + HEALTHY_RESET_MS });
  }
  return [
    at({ ...machine, error: null }, {
      status: "running",
      run,
      health,
      isSettled: false,
    }),
    effects,
  ];
}

export function onAdopted(
  spec: TaskSpec,
  machine: TaskMachine,
  input: Input & { type: "adopted" },
): Step {
  const [running, effects] = become(spec, machine, input);
  return [
    at({ ...running, generation: machine.generation + 1 }, {
      ...(running.phase as Phase & { status: "running" }),
      isSettled: true,
    }),
    effects,
  ];
}

export function onSpawnFailed(
  spec: TaskSpec,
  machine: TaskMachine,
  input: Input & { type: "spawn_failed" },
): Step {
  const { phase } = machine;
  if (phase.status !== "spawning" || input.generation !== machine.generation) {
    return [machine, []];
  }
  if (phase.interrupted !== null) {
    return [at(machine, { status: "stopped" }), [
      PERSIST,
      stoppedEvent(phase.interrupted),
    ]];
  }
  return couldNotStart(spec, machine, input);
}

/** A start that did not get as far as a process. By hand it fails; an automatic one is tried again by policy. */
export function couldNotStart(
  spec: TaskSpec,
  machine: TaskMachine,
  failure: { readonly error: ErrorShape; readonly now: number },
): Step {
  const { error, now } = failure;
  const cause = (machine.phase as { cause?: StartCause }).cause;
  const failed = { ...machine, error };
  if (cause !== "auto") {
    return [at(failed, { status: "failed" }), [PERSIST, failedEvent(error)]];
  }
  return withEffects(
    [emit("auto_restart_failed", {
      error_code: error.error_code,
      reason: error.error,
    })],
    obey(failed, decideAfterFailure(spec.restart, machine.restarts), {
      now,
      reason: "start_failed",
      rest: "failed",
    }),
  );
}
