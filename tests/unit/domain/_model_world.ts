/**
 * A small world around the task machine for random tests: hooks, spawns, runs, a timer and a store that answer in any
 * order, late, or never. It performs effects as the supervisor does and holds the machine to its invariants after each
 * input.
 *
 * Operations are plain data and always applicable, so that a failing sequence can be cut down.
 *
 * @module
 */

import { step } from "../../../src/domain/step.ts";
import type { Effect, Input } from "../../../src/domain/task_input.ts";
import {
  NEW_MACHINE,
  type RunEnded,
  runOf,
  type TaskMachine,
} from "../../../src/domain/task_machine.ts";
import type { HookName, TaskSpec } from "../../../src/domain/task_spec.ts";
import type { RunInfo } from "../../../src/domain/task_state.ts";
import {
  errorShape,
  exitOf,
  type InputData,
  probeResult,
  runInfo,
} from "./_samples.ts";

/** Everything that can be done to the world. */
export const OPS = [
  "start",
  "start_gated",
  "stop",
  "kill",
  "shutdown",
  "restart",
  "watch",
  "gate_opens",
  "gate_fails",
  "hook_passes",
  "hook_fails",
  "late_hook_fails",
  "spawn_works",
  "spawn_ends_at_once",
  "spawn_fails",
  "foreign_spawn",
  "run_dies",
  "end_arrives",
  "run_exits",
  "foreign_end",
  "probe_ok",
  "probe_bad",
  "foreign_probe",
  "run_survives",
  "keeper_dies",
  "a_second",
  "a_minute",
  "until_the_wake",
  "needless_wake",
  "adopt_foreign",
  "crash",
] as const;

/** One thing that happens; `pick` chooses among several candidates. */
export interface Op {
  readonly name: (typeof OPS)[number];
  readonly pick: number;
}

/** A hook that was begun and has not answered. */
export interface OpenHook {
  readonly hook: HookName;
  readonly generation: number;
  isCancelled: boolean;
}

/** A run that has processes. */
export interface LiveRun {
  readonly run: RunInfo;
  /** Whether the machine has asked for its end. */
  isTerminated: boolean;
  /** Not the answer to a present spawn; the machine may refuse it or make it its own. */
  isForeign: boolean;
}

/** What the store has of a task. */
export type Saved =
  & Pick<
    TaskMachine,
    "desired" | "manual" | "restarts" | "gaveUp"
  >
  & { readonly outcome: "completed" | "failed" | null };

/** A step that the machine has taken. */
export interface TakenStep {
  readonly before: TaskMachine;
  readonly input: Input;
  readonly effects: readonly Effect[];
}

/** The durable part of a machine. */
export function durable(machine: TaskMachine): Saved {
  const { desired, manual, restarts, gaveUp, phase } = machine;
  const isOutcome = phase.status === "completed" || phase.status === "failed";
  return {
    desired,
    manual,
    restarts,
    gaveUp,
    outcome: isOutcome ? phase.status : null,
  };
}

/** See the module. */
export class ModelWorld {
  readonly spec: TaskSpec;
  machine: TaskMachine = NEW_MACHINE;
  now = 1_000_000;
  hooks: OpenHook[] = [];
  /** Generations of spawns without an answer. */
  spawns: number[] = [];
  readonly runs = new Map<string, LiveRun>();
  /** Ends that the machine has not been told. */
  ends: RunEnded[] = [];
  wakeAt: number | null = null;
  probing: RunInfo | null = null;
  saved: Saved = durable(NEW_MACHINE);
  /** Runs by id: what the events have told. */
  readonly told = new Map<string, "started" | "exited">();
  inputs = 0;
  /** Where the machine has been. */
  readonly visited = new Set<string>();
  #lastHook: OpenHook | null = null;
  #runs = 0;

  readonly #onStep: (world: ModelWorld, taken: TakenStep) => void;

  constructor(
    spec: TaskSpec,
    onStep: (world: ModelWorld, taken: TakenStep) => void,
  ) {
    this.spec = spec;
    this.#onStep = onStep;
  }

  /** Ends a run without telling the machine yet. */
  die(runId: string, how: number | string): void {
    this.runs.delete(runId);
    this.ends.push({ runId, exit: exitOf(how) });
  }

  /** Tells the machine something. */
  feed(data: InputData): void {
    const before = this.machine;
    const input = { ...data, now: this.now } as Input;
    const [after, effects] = step(this.spec, before, input);
    this.inputs++;
    this.machine = after;
    this.visited.add(placeOf(after));
    for (const effect of effects) this.#perform(effect);
    this.#onStep(this, { before, input, effects });
  }

  /**
   * Does one thing.
   *
   * @throws {Error} What `onStep` throws, or if a run is told twice.
   */
  apply({ name, pick }: Op): void {
    switch (name) {
      case "start":
        return this.feed({ type: "start", isGated: false });
      case "start_gated":
        return this.feed({ type: "start", isGated: true });
      case "stop":
      case "kill":
      case "shutdown":
        return this.feed({ type: "stop", kind: name });
      case "restart":
        return this.feed({ type: "restart", isUsers: true, reason: "manual" });
      case "watch":
        return this.feed({ type: "restart", isUsers: false, reason: "watch" });
      case "gate_opens":
        return this.feed({ type: "gate", error: null });
      case "gate_fails":
        return this.feed({ type: "gate", error: errorShape("E402") });
      case "hook_passes":
      case "hook_fails":
      case "late_hook_fails":
        return this.#answerHook(name, pick);
      case "spawn_works":
      case "spawn_ends_at_once":
      case "spawn_fails":
        return this.#answerSpawn(name, pick);
      case "run_dies":
      case "end_arrives":
      case "run_exits":
        return this.#endRun(name, pick);
      case "probe_ok":
      case "probe_bad":
        return this.#probe(name === "probe_ok");
      case "run_survives":
        return this.#survive();
      case "keeper_dies":
        return this.#loseKeeper();
      case "a_second":
        return this.#pass(this.now + 1_000);
      case "a_minute":
        return this.#pass(this.now + 60_000);
      case "until_the_wake":
        return this.#pass(this.wakeAt ?? this.now);
      case "needless_wake":
        return this.feed({ type: "wake" });
      case "crash":
        return this.#crash();
      default:
        return this.#doForeign(name);
    }
  }

  /** Answers that belong to nothing the machine knows. */
  #doForeign(
    name:
      | "foreign_spawn"
      | "foreign_end"
      | "foreign_probe"
      | "adopt_foreign",
  ): void {
    const generation = this.machine.generation - 1;
    switch (name) {
      case "foreign_spawn":
        this.feed({
          type: "spawn_failed",
          generation,
          error: errorShape("E403"),
        });
        return this.feed({
          type: "spawned",
          generation,
          run: this.#newRun(true),
        });
      case "foreign_end":
        return this.feed({ type: "ended", runId: "ghost", exit: exitOf(1) });
      case "foreign_probe":
        return this.feed({
          type: "probed",
          runId: "ghost",
          result: probeResult("refused"),
        });
      case "adopt_foreign":
        return this.#adopt(this.#newRun(true));
    }
  }

  #newRun(isForeign: boolean): RunInfo {
    const port = this.spec.wantsPort ? 4000 : null;
    const run = runInfo(`run${++this.#runs}`, { port });
    this.runs.set(run.runId, { run, isTerminated: false, isForeign });
    return run;
  }

  #answerHook(
    name: "hook_passes" | "hook_fails" | "late_hook_fails",
    pick: number,
  ): void {
    const wanted = this.hooks.filter(({ isCancelled }) =>
      isCancelled === (name === "late_hook_fails")
    );
    const open = wanted[pick % wanted.length];
    if (open === undefined) return;
    this.hooks.splice(this.hooks.indexOf(open), 1);
    this.feed({
      type: "hooked",
      hook: open.hook,
      generation: open.generation,
      error: name === "hook_passes" ? null : errorShape("E400"),
    });
  }

  #answerSpawn(
    name: "spawn_works" | "spawn_ends_at_once" | "spawn_fails",
    pick: number,
  ): void {
    const generation = this.spawns.shift();
    if (generation === undefined) return;
    if (name === "spawn_fails") {
      const error = errorShape("E403");
      return this.feed({ type: "spawn_failed", generation, error });
    }
    const run = this.#newRun(false);
    if (name === "spawn_ends_at_once") {
      this.runs.delete(run.runId);
      const exit = exitOf(pick % 2);
      this.feed({ type: "ended", runId: run.runId, exit });
    }
    this.feed({ type: "spawned", generation, run });
  }

  #endRun(name: "run_dies" | "end_arrives" | "run_exits", pick: number): void {
    if (name !== "end_arrives") {
      const ids = [...this.runs.keys()];
      const runId = ids[pick % ids.length];
      if (runId !== undefined) this.die(runId, pick % 3 === 0 ? 0 : 1);
    }
    if (name === "run_dies") return;
    const end = this.ends.shift();
    if (end !== undefined) this.feed({ type: "ended", ...end });
  }

  #probe(isOk: boolean): void {
    if (this.probing === null) return;
    this.feed({
      type: "probed",
      runId: this.probing.runId,
      result: probeResult(isOk ? null : "refused"),
    });
  }

  #survive(): void {
    for (const { run, isTerminated } of this.runs.values()) {
      if (!isTerminated) continue;
      const error = errorShape("E900");
      return this.feed({ type: "survived", runId: run.runId, error });
    }
  }

  /** All runs die with it, or soon after; that nothing of them lives is told later. */
  #loseKeeper(): void {
    const run = runOf(this.machine);
    for (const runId of [...this.runs.keys()]) this.die(runId, "SIGHUP");
    if (run !== null) this.feed({ type: "lost", runId: run.runId });
  }

  #pass(until: number): void {
    if (this.wakeAt !== null && this.wakeAt <= until) {
      this.now = Math.max(this.now, this.wakeAt);
      this.wakeAt = null;
      this.feed({ type: "wake" });
    }
    this.now = Math.max(this.now, until);
  }

  /** The controller dies; the keeper and its runs go on, and the next controller finds them. */
  #crash(): void {
    this.hooks = [];
    this.wakeAt = null;
    this.probing = null;
    if (this.spawns.length > 0) this.#newRun(false);
    this.spawns = [];
    const { outcome, ...facts } = this.saved;
    this.machine = {
      ...NEW_MACHINE,
      ...facts,
      phase: { status: outcome ?? "stopped" },
    };
    const own = [...this.runs.values()].find(({ isForeign }) => !isForeign);
    if (own !== undefined) {
      this.#adopt(own.run);
    } else if (facts.desired === "up" && outcome === null) {
      this.feed({ type: "start", isGated: true });
    }
  }

  #adopt(run: RunInfo): void {
    this.told.set(run.runId, "started");
    this.feed({ type: "adopted", run, ageMs: 5_000 });
    const live = this.runs.get(run.runId);
    if (live !== undefined) {
      live.isForeign = runOf(this.machine)?.runId !== run.runId;
    }
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "run_hook": {
        const { hook, generation } = effect;
        this.#lastHook = { hook, generation, isCancelled: false };
        this.hooks.push(this.#lastHook);
        return;
      }
      case "cancel_hook":
        if (this.#lastHook !== null) this.#lastHook.isCancelled = true;
        return;
      case "spawn":
        this.spawns.push(effect.generation);
        return;
      case "terminate": {
        const live = this.runs.get(effect.runId);
        if (live !== undefined) live.isTerminated = true;
        return;
      }
      case "start_probing":
        this.probing = effect.run;
        return;
      case "stop_probing":
        this.probing = null;
        return;
      case "wake_at":
        this.wakeAt = effect.at;
        return;
      case "persist":
        this.saved = durable(this.machine);
        return;
      case "emit":
        return this.#tell(effect);
    }
  }

  #tell({ event, data }: Effect & { type: "emit" }): void {
    const runId = String(data.run_id);
    if (event === "task_started" || event === "task_restarted") {
      if (this.told.has(runId)) throw new Error(`${runId} was started twice`);
      this.told.set(runId, "started");
    }
    if (event === "task_exited") {
      const known = this.told.get(runId);
      if (known !== "started") {
        throw new Error(`${runId} exited, but was told as ${known}`);
      }
      this.told.set(runId, "exited");
    }
  }
}

function placeOf({ phase, gaveUp }: TaskMachine): string {
  switch (phase.status) {
    case "preparing":
      return `preparing ${phase.cause}`;
    case "spawning":
      return `spawning ${phase.interrupted ?? phase.cause}`;
    case "running":
      return gaveUp ? "running, gave up" : "running";
    case "stopping":
      return `stopping ${phase.stage} ${phase.kind}`;
    default:
      return phase.status;
  }
}

/** The run of the machine, alive or with an end on its way. */
export function isRunKnown(world: ModelWorld): boolean {
  const run = runOf(world.machine);
  return run !== null && (world.runs.has(run.runId) ||
    world.ends.some(({ runId }) => runId === run.runId));
}
