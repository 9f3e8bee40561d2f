/**
 * Transitions on the way up: start, gate, before_start hooks, spawn, adoption.
 *
 * @module
 */

import {
  at,
  emit,
  failedEvent,
  isNotBeingEnded,
  obey,
  PERSIST,
  prepare,
  signal,
  stillUp,
  stoppedEvent,
  wantedUp,
  withEffects,
} from "./_step_base.ts";
import { onEnded } from "./_step_run.ts";
import type { ErrorShape } from "./error.ts";
import { decideAfterFailure, HEALTHY_RESET_MS } from "./restart_policy.ts";
import { hasProbe, type TaskHealth, unknownHealth } from "./task_health.ts";
import type { Effect, Input, Step } from "./task_input.ts";
import {
  isAtRest,
  type Phase,
  runOf,
  type StartCause,
  type TaskMachine,
} from "./task_machine.ts";
import type { TaskSpec } from "./task_spec.ts";
import type { RunInfo } from "./task_state.ts";

/** What was stopped by hand, or has failed, is as if nothing had been said of it: it waits for a request. */
export function onAllow(machine: TaskMachine): Step {
  if (!isAtRest(machine)) return [machine, []];
  const waiting: TaskMachine = { ...machine, desired: "down", manual: false };
  if (machine.phase.status === "completed") return [waiting, [PERSIST]];
  return [
    at({ ...waiting, gaveUp: false, error: null }, { status: "stopped" }),
    [PERSIST],
  ];
}

/** Wanted up by hand. */
export function onStart(
  machine: TaskMachine,
  { isGated, keepsSeries = false }: Pick<
    Input & { type: "start" },
    "isGated" | "keepsSeries"
  >,
): Step {
  const wanted = keepsSeries ? stillUp(machine) : wantedUp(machine);
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
      if (isNotBeingEnded(machine, phase)) {
        return signal(wanted, phase, {
          kind: "restart",
          restartAfterMs: 0,
          isGated,
        });
      }
      return [at(wanted, { ...phase, restartAfterMs: 0, isGated }), [PERSIST]];
    case "preparing":
    case "running":
      return [wanted, [PERSIST]];
  }
}

/** The dependencies have decided. */
export function onGate(machine: TaskMachine, error: ErrorShape | null): Step {
  if (machine.phase.status !== "waiting") return [machine, []];
  if (error === null) return prepare(machine, "start");
  return [
    at({ ...machine, error }, { status: "failed" }),
    [PERSIST, failedEvent(error)],
  ];
}

/** A run lives. */
export function onSpawned(
  spec: TaskSpec,
  machine: TaskMachine,
  input: Input & { type: "spawned" },
): Step {
  const { phase } = machine;
  if (phase.status !== "spawning" || input.generation !== machine.generation) {
    return unclaimed(machine, input.run.runId);
  }
  const [running, effects] = become(spec, machine, {
    run: input.run,
    now: input.now,
    ageMs: 0,
  });
  const started = startedEvent(phase.cause, input.run);
  const [next, wanted]: Step = phase.interrupted === null
    ? [running, [...effects, {
      type: "run_hook",
      hook: "after_start",
      generation: machine.generation,
    }]]
    : signal(running, running.phase as Phase & { status: "running" }, {
      kind: phase.interrupted,
      restartAfterMs: null,
    });
  const end = phase.ended?.find(({ runId }) => runId === input.run.runId);
  if (end === undefined) return [next, [started, ...wanted]];
  const ended = { type: "ended", now: input.now, ...end } as const;
  return withEffects([started], onEnded(spec, next, ended));
}

function startedEvent(cause: StartCause, run: RunInfo): Effect {
  return emit(cause === "start" ? "task_started" : "task_restarted", {
    pid: run.pid,
    run_id: run.runId,
    ...(run.port === null ? {} : { port: run.port }),
  });
}

/** A run that nobody waits for must not live on. */
function unclaimed(machine: TaskMachine, runId: string): Step {
  if (runOf(machine)?.runId === runId) return [machine, []];
  return [machine, [{ type: "terminate", runId, isKill: true }]];
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

/**
 * A run that was ready needs no second boot grace, and one that was healthy begins no new stretch of it. Where a line of
 * output was the evidence, it may be out of reach by now, and being alive is what counts after it.
 */
function readyAgain(
  { health: spec }: TaskSpec,
  health: TaskHealth,
  { run, now, healthyForMs, lastHealth }: Input & { type: "adopted" },
): TaskHealth {
  const isByLine = spec.url === null && spec.check === null &&
    spec.readyLog !== null;
  if (isByLine) {
    const healthySince = now - (healthyForMs ?? 0);
    const last = {
      ok: true,
      method: "log",
      reason: null,
      at: run.startedAt,
    } as const;
    return { ...health, isReady: true, healthySince, last };
  }
  return {
    ...health,
    isReady: true,
    healthySince: healthyForMs === undefined ? null : now - healthyForMs,
    last: healthyForMs === undefined ? null : lastHealth ?? null,
  };
}

/** A run of an earlier controller lives. */
export function onAdopted(
  spec: TaskSpec,
  machine: TaskMachine,
  input: Input & { type: "adopted" },
): Step {
  const { status } = machine.phase;
  if (status === "spawning" || runOf(machine) !== null) {
    return unclaimed(machine, input.run.runId);
  }
  const { news, wasReady = false } = input;
  const [found, effects] = become(spec, machine, input);
  const adopted = found.phase as Phase & { status: "running" };
  const phase = {
    ...adopted,
    health: wasReady ? readyAgain(spec, adopted.health, input) : adopted.health,
    isSettled: news === undefined,
  };
  const generation = machine.generation + 1;
  const running = at({ ...found, generation }, phase);
  const told: readonly Effect[] = [
    ...(status === "preparing" ? [{ type: "cancel_hook" } as const] : []),
    ...(news === undefined ? [] : [startedEvent(news, input.run)]),
  ];
  // Its stop was under way when the earlier controller went.
  const plan = input.plan ??
    (machine.manual ? { kind: "stop", restartAfterMs: null } as const : null);
  if (plan !== null) {
    return withEffects(told, signal(running, phase, plan));
  }
  const { healthySince } = phase.health;
  const isInSeries = wasReady && healthySince !== null && machine.restarts > 0;
  return withEffects(told, [running, [
    PERSIST,
    ...effects,
    ...(isInSeries
      ? [{ type: "wake_at", at: healthySince + HEALTHY_RESET_MS } as const]
      : []),
    ...(news === undefined
      ? []
      : [{ type: "run_hook", hook: "after_start", generation } as const]),
  ]]);
}

/** No run came of it. */
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
