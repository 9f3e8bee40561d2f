/**
 * Puts a step of the task machine into one line of text, so that a table of them can be read and reviewed.
 *
 * @module
 */

import { healthWord } from "../../../src/domain/task_health.ts";
import type { Effect, Step } from "../../../src/domain/task_input.ts";
import type { Phase, TaskMachine } from "../../../src/domain/task_machine.ts";
import type { TaskSpec } from "../../../src/domain/task_spec.ts";

/** What a step started from. */
export interface StepOrigin {
  readonly spec: TaskSpec;
  readonly before: TaskMachine;
  readonly now: number;
}

/**
 * The phase that follows, the facts that changed beside it, and the effects in order: `phase fact fact | effect effect`.
 * A step that changes nothing and wants nothing is `-`.
 */
export function describeStep(
  origin: StepOrigin,
  [after, effects]: Step,
): string {
  const { spec, before, now } = origin;
  const isSame = JSON.stringify(before) === JSON.stringify(after);
  if (isSame && effects.length === 0) return "-";
  const left = [
    describePhase(spec, after.phase, now),
    ...changedFacts(before, after),
  ];
  const right = effects.map((effect) => describeEffect(effect, now));
  return `${left.join(" ")} | ${right.join(" ")}`.trim();
}

/** A phase with everything that decides how it goes on. Delays are relative to now. */
export function describePhase(
  spec: TaskSpec,
  phase: Phase,
  now: number,
): string {
  switch (phase.status) {
    case "preparing":
      return `preparing(${phase.cause})`;
    case "spawning": {
      const { interrupted, ended } = phase;
      const notes = [
        phase.cause,
        ...(interrupted === null ? [] : [`then ${interrupted}`]),
        ...(ended ?? []).map(({ runId }) => `ended ${runId}`),
      ];
      return `spawning(${notes.join(", ")})`;
    }
    case "running": {
      const { run, health } = phase;
      const notes = [run.runId, healthWord(spec.health, health)];
      if (health.failures > 0) notes.push(`${health.failures} failed`);
      if (!phase.isSettled) notes.push("unsettled");
      return `running(${notes.join(", ")})`;
    }
    case "stopping": {
      const { stage, kind, restartAfterMs } = phase;
      const then = restartAfterMs === null
        ? ""
        : phase.isGated === true
        ? ", then wait"
        : `, then +${restartAfterMs}`;
      return `stopping(${stage}, ${kind}${then})`;
    }
    case "backoff":
      return `backoff(+${phase.until - now})`;
    default:
      return phase.status;
  }
}

/** An effect as one word. */
export function describeEffect(effect: Effect, now: number): string {
  switch (effect.type) {
    case "run_hook":
      return `hook:${effect.hook}`;
    case "terminate":
      return `${effect.isKill ? "kill" : "terminate"}:${effect.runId}`;
    case "start_probing":
      return `probe:${effect.run.runId}`;
    case "wake_at":
      return `wake:+${effect.at - now}`;
    case "emit":
      return effect.event;
    default:
      return effect.type;
  }
}

function changedFacts(before: TaskMachine, after: TaskMachine): string[] {
  const facts: string[] = [];
  const tell = (key: keyof TaskMachine, fact: string): void => {
    if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) {
      facts.push(fact);
    }
  };
  tell("generation", `gen+${after.generation - before.generation}`);
  tell("desired", after.desired);
  tell("manual", after.manual ? "manual" : "auto");
  tell("restarts", `restarts=${after.restarts}`);
  tell("gaveUp", after.gaveUp ? "gave_up" : "hopeful");
  tell("lastExit", `exit=${after.lastExit?.code ?? after.lastExit?.signal}`);
  tell("error", after.error === null ? "no_error" : after.error.error_code);
  return facts;
}
