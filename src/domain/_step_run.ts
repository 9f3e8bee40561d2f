/**
 * Transitions of a run: its end, its probes, its timers.
 *
 * @module
 */

import {
  at,
  emit,
  obey,
  PERSIST,
  prepare,
  restartEvent,
  signal,
  STOP_PROBING,
  withEffects,
} from "./_step_base.ts";
import { endedWhileStopping } from "./_step_stop.ts";
import type { ErrorShape } from "./error.ts";
import {
  decideAfterExit,
  decideAfterFailure,
  HEALTHY_RESET_MS,
  isSuccess,
} from "./restart_policy.ts";
import { applyProbe } from "./task_health.ts";
import type { Effect, Input, Step } from "./task_input.ts";
import type { Phase, TaskMachine } from "./task_machine.ts";
import type { TaskSpec } from "./task_spec.ts";
import {
  type Exit,
  exitedData,
  exitNumber,
  exitText,
  type ProbeResult,
} from "./task_state.ts";

/** The run and everything it started is gone. */
export function onEnded(
  spec: TaskSpec,
  machine: TaskMachine,
  input: Input & { type: "ended" },
): Step {
  const { phase } = machine;
  const { runId, exit, now } = input;
  if (phase.status === "spawning") {
    const ended = [...(phase.ended ?? []), { runId, exit }];
    return [at(machine, { ...phase, ended }), []];
  }
  if (
    (phase.status !== "running" && phase.status !== "stopping") ||
    phase.run.runId !== runId
  ) return [machine, []];
  const isWanted = phase.status === "stopping" && phase.kind !== "lost";
  const isClean = isSuccess(spec.restart, exit);
  const exited = emit("task_exited", {
    ...exitedData(runId, exit),
    expected: isWanted || isClean,
  });
  const ended = { ...machine, lastExit: exit };
  if (phase.status === "stopping" && phase.kind !== "lost") {
    if (phase.stage === "after") return [machine, []];
    return withEffects(
      [STOP_PROBING, exited],
      endedWhileStopping(ended, phase, now),
    );
  }
  const series = resetSeries(ended, phase.health.healthySince, now);
  const error = isClean ? null : exitError(spec, exit);
  return withEffects(
    [STOP_PROBING, exited],
    obey(
      { ...series, error },
      decideAfterExit(spec.restart, exit, series.restarts),
      {
        now,
        reason: "process_exited",
        rest: isClean ? "completed" : "failed",
      },
    ),
  );
}

function exitError(spec: TaskSpec, exit: Exit): ErrorShape {
  return {
    ok: false,
    error_code: "E403",
    error: `Task "${spec.name}" ${exitText(exit)}`,
    hint: `taskmux logs ${spec.name}`,
    details: { task: spec.name, exit_code: exitNumber(exit) },
  };
}

/** A probe answered. */
export function onProbed(
  spec: TaskSpec,
  machine: TaskMachine,
  input: Input & { type: "probed" },
): Step {
  const { phase } = machine;
  if (phase.status !== "running" || phase.run.runId !== input.runId) {
    return [machine, []];
  }
  const { result, now } = input;
  const { health, kind } = applyProbe(spec.health, phase.health, {
    result,
    now,
  });
  const series = resetSeries(machine, health.healthySince, now);
  const next = at(series, { ...phase, health });
  switch (kind) {
    case "same":
      return [next, series === machine ? [] : [PERSIST]];
    case "ready":
      return [next, [
        emit("task_healthy", { method: result.method }),
        ...(next.restarts > 0
          ? [{ type: "wake_at", at: now + HEALTHY_RESET_MS } as const]
          : []),
      ]];
    case "failed":
      return [next, [probeFailed(result, health.failures)]];
    case "unhealthy":
      return withEffects([
        probeFailed(result, health.failures),
        emit("task_unhealthy", {
          method: result.method,
          reason: result.reason,
        }),
      ], becameUnhealthy(spec, next, phase));
    case "still_unhealthy":
      // A start by hand may have begun a new series since.
      return becameUnhealthy(spec, next, phase);
  }
}

function probeFailed(result: ProbeResult, attempt: number): Effect {
  return emit("health_check_failed", {
    attempt,
    method: result.method,
    reason: result.reason,
  });
}

/** A long healthy stretch ends a series of restarts. */
function resetSeries(
  machine: TaskMachine,
  healthySince: number | null,
  now: number,
): TaskMachine {
  if (machine.restarts === 0 && !machine.gaveUp) return machine;
  if (healthySince === null || now - healthySince < HEALTHY_RESET_MS) {
    return machine;
  }
  return { ...machine, restarts: 0, gaveUp: false };
}

function becameUnhealthy(
  spec: TaskSpec,
  machine: TaskMachine,
  before: Phase & { status: "running" },
): Step {
  const decision = decideAfterFailure(spec.restart, machine.restarts);
  const running = machine.phase as Phase & { status: "running" };
  if (decision.kind === "rest") return [machine, []];
  if (decision.kind === "give_up") {
    if (machine.gaveUp) return [machine, []];
    return [
      { ...machine, gaveUp: true },
      [PERSIST, emit("max_restarts_reached", { count: decision.attempts })],
    ];
  }
  const counted = { ...machine, restarts: decision.attempt };
  return withEffects(
    [restartEvent(decision, "health_retries_exceeded")],
    signal(counted, { ...running, run: before.run }, {
      kind: "auto",
      restartAfterMs: decision.delayMs,
    }),
  );
}

/** A timer of the machine is due. */
export function onWake(machine: TaskMachine, now: number): Step {
  const { phase } = machine;
  if (phase.status === "backoff") {
    if (now < phase.until) {
      return [machine, [{ type: "wake_at", at: phase.until }]];
    }
    return prepare(machine, "auto");
  }
  const isUp = phase.status === "running" ||
    (phase.status === "stopping" && phase.stage === "before");
  if (isUp) {
    const reset = resetSeries(machine, phase.health.healthySince, now);
    return reset === machine ? [machine, []] : [reset, [PERSIST]];
  }
  return [machine, []];
}
