/**
 * One task: feeds the machine, performs its effects, and posts what came of them back as inputs.
 *
 * Inputs are applied one after another in the order of arrival. Effects never block the inbox.
 *
 * @module
 */

import { probe } from "../health/mod.ts";
import type { JsonObject } from "../kit/json.ts";
import { TaskScope } from "../kit/task_scope.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ErrorShape } from "../domain/error.ts";
import { step } from "../domain/step.ts";
import type { Effect, Input } from "../domain/task_input.ts";
import {
  NEW_MACHINE,
  runOf,
  snapshotTask,
  type TaskMachine,
} from "../domain/task_machine.ts";
import type { HookName, TaskSpec } from "../domain/task_spec.ts";
import type { ProbeResult, RunInfo } from "../domain/task_state.ts";
import type { TaskSnapshot, WaitingFor } from "../domain/task_view.ts";
import type { SupervisorHost } from "./host.ts";
import { willPrint } from "./printed_line.ts";
import { probeRun } from "./prober.ts";
import { adoptedFacts, type TakenOver } from "./adopted_facts.ts";
import { launchRun } from "./launch_run.ts";
import { requireTaskFolder, startErrorShape } from "./start_errors.ts";
import { runTaskHook } from "./task_hook.ts";
import { TaskWatch } from "./task_watch.ts";
import { cannotEnd, terminateSteps } from "./terminate_steps.ts";
import type { RunContext } from "./run_context.ts";
import {
  decodeSavedState,
  encodeSavedState,
  type SavedState,
  savedStateOf,
} from "./saved_state.ts";

type WithoutNow<T> = T extends unknown ? Omit<T, "now"> : never;

/** A run must live this long until its start counts as one, when nothing else proves it. */
export const SETTLE_MS = 100;

/** Changed files that an event names. */
const WATCHED_FILES_TOLD_MAX = 20;

/** How to make a runner. */
export interface TaskRunnerOptions {
  readonly spec: TaskSpec;
  readonly context: RunContext;
  readonly host: SupervisorHost;
  /** Not in the file: started by `taskmux run`. */
  readonly isAdHoc: boolean;
  /** Called after every change, never from within {@linkcode TaskRunner.dispatch}'s caller's own change. */
  onChange(): void;
  /** The dependencies that are waited for, for snapshots. */
  waitingFor(): readonly WaitingFor[];
  /** Whether the daemon ends, so that nothing may be started. */
  isEnding(): boolean;
}

/** See the module. */
export class TaskRunner implements AsyncDisposable {
  readonly name: string;
  readonly isAdHoc: boolean;
  /** Brought back after a boot and not asked for since: a start of it is no error. */
  wasResumed = false;
  readonly #options: TaskRunnerOptions;
  readonly #host: SupervisorHost;
  readonly #scope: TaskScope;
  #spec: TaskSpec;
  #machine: TaskMachine = NEW_MACHINE;
  #inbox: Input[] = [];
  #isStepping = false;
  #environment: string | null = null;
  #readyRunId: string | null = null;
  #saved: SavedState = decodeSavedState(null);
  #runDigest: string | null = null;
  #runEnvironment: Readonly<Record<string, string>> = {};
  #hasSubstitute = false;
  #isSettled = false;
  #lastStartedAt: number | null = null;
  readonly #hooks = new Set<AbortController>();
  #probing: AbortController | null = null;
  #wake: AbortController | null = null;
  readonly #watch: TaskWatch;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
    this.#host = options.host;
    this.#spec = options.spec;
    this.name = options.spec.name;
    this.isAdHoc = options.isAdHoc;
    this.#scope = new TaskScope((error) =>
      this.#host.onError(error, `task ${this.name}`)
    );
    this.#watch = new TaskWatch({
      host: options.host,
      scope: this.#scope,
      name: this.name,
      root: options.context.root,
      onChange: (files) => this.#filesChanged(files),
    });
  }

  /** The spec of the next start. */
  get spec(): TaskSpec {
    return this.#spec;
  }

  /** The machine's present state. */
  get machine(): TaskMachine {
    return this.#machine;
  }

  /** Whether the present run has lived long enough, or proved itself healthy. */
  get isSettled(): boolean {
    const { phase } = this.#machine;
    if (phase.status !== "running" || !phase.isSettled) return false;
    return this.#isSettled ||
      (phase.health.isReady && phase.health.last?.method !== "proc");
  }

  /** Wall time of the last spawn in milliseconds; null before the first. */
  get lastStartedAt(): number | null {
    return this.#lastStartedAt;
  }

  /** Name of the caller's environment that runs start with, for persistence. */
  get environment(): string | null {
    return this.#environment;
  }

  set environment(name: string | null) {
    this.#environment = name;
  }

  /** The full environment of the present run; empty when it was adopted. */
  get runEnvironment(): Readonly<Record<string, string>> {
    return this.#runEnvironment;
  }

  /** Whether the present run has the daemon's environment because that of the shell that asked for it is lost. */
  get hasSubstitute(): boolean {
    return this.#hasSubstitute && runOf(this.#machine) !== null;
  }

  /** Replaces the spec. A present run keeps its own until its next start. */
  setSpec(spec: TaskSpec): void {
    this.#spec = spec;
  }

  /** The task as others may see it. */
  snapshot(): TaskSnapshot {
    return snapshotTask(this.#spec, this.#machine, {
      now: this.#host.clock.monotonic(),
      waitingFor: this.#options.waitingFor(),
      configChanged: runOf(this.#machine) !== null &&
        this.#runDigest !== null && this.#runDigest !== this.#spec.digest,
    });
  }

  /** Sets a state found on disk. Only before the first input. */
  restore(machine: Partial<TaskMachine>, saved: SavedState): void {
    this.#machine = { ...this.#machine, ...machine };
    this.#environment = saved.environment;
    this.#readyRunId = saved.readyRunId;
    this.#saved = saved;
  }

  /** Writes down what is known now, for whoever comes next. */
  save(): void {
    if (runOf(this.#machine) !== null) this.#persist();
  }

  /** Takes over a run of an earlier controller. */
  async adopt(run: RunInfo, found: TakenOver): Promise<void> {
    const { store } = this.#host;
    const { isNews, ageMs } = found;
    this.#runDigest = found.digest;
    this.#lastStartedAt = run.startedAt;
    this.#isSettled = true;
    this.#runEnvironment = await this.#context.environmentOf(this, run).catch(
      () => ({}),
    );
    const { projectId } = this.#context;
    const known = { projectId, spec: this.#spec, saved: this.#saved };
    const facts = adoptedFacts(this.#host, { ...known, run, isNews, ageMs });
    store.atomically(() => {
      if (isNews) store.runs.spawned(run);
      this.dispatch({ type: "adopted", run, ...facts });
    });
  }

  /** Feeds one input. Effects begin before this returns; what they bring arrives later. */
  dispatch(input: WithoutNow<Input>): void {
    const isUp = input.type === "start" || input.type === "restart";
    // What would be started while the daemon takes everything down would be left behind.
    if (isUp && this.#options.isEnding()) return;
    this.#inbox.push(
      { ...input, now: this.#host.clock.monotonic() } as Input,
    );
    if (this.#isStepping) return;
    // The state and the events that tell of it are stored together: whoever comes after a crash finds both or neither.
    this.#host.store.atomically(() => {
      this.#stepAll();
      // Also while it is down after a crash: a change of a file wakes it.
      this.#watch.follow(this.#spec, this.#machine.desired === "up");
      this.#options.onChange();
    });
  }

  #stepAll(): void {
    this.#isStepping = true;
    try {
      for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) {
        const [machine, effects] = step(this.#spec, this.#machine, next);
        this.#machine = machine;
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#isStepping = false;
    }
  }

  /** One probe now, outside of the schedule; its result counts like any other. */
  async probeNow(signal: AbortSignal): Promise<ProbeResult> {
    const { run } = this.snapshot();
    if (run === null) {
      return {
        ok: false,
        method: "proc",
        reason: "process not running",
        at: this.#host.clock.now(),
      };
    }
    const { readyLog, url, check } = this.#spec.health;
    const { phase } = this.#machine;
    if (
      readyLog !== null && url === null && check === null &&
      phase.status === "running"
    ) {
      // The line has been seen or not; asking again cannot tell more.
      return phase.health.last ?? {
        ok: false,
        method: "log",
        reason: "not ready yet",
        at: this.#host.clock.now(),
      };
    }
    const result = await this.#probe(run, signal);
    this.dispatch({ type: "probed", runId: run.runId, result });
    return result;
  }

  /** Ends all work for this task. The run itself lives on under the keeper. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }

  get #context(): RunContext {
    return this.#options.context;
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "run_hook":
        return this.#runHook(effect.hook, effect.generation);
      case "cancel_hook":
        return this.#cancelHooks();
      case "spawn":
        // A run that lives before anybody was told is told by the next controller, with its cause.
        this.#persist();
        return this.#scope.run(() => this.#spawn(effect.generation));
      case "terminate":
        // An after_start hook of a run that is being ended has nothing left to do.
        this.#cancelHooks();
        return this.#scope.run((signal) => this.#terminate(effect, signal));
      case "start_probing":
        return this.#startProbing(effect.run);
      case "stop_probing":
        return this.#probing?.abort();
      case "wake_at":
        return this.#wakeAt(effect.at);
      case "persist":
        return this.#persist();
      case "emit":
        return this.#emit(effect);
    }
  }

  #emit(effect: Effect & { type: "emit" }): void {
    const data: JsonObject = effect.data;
    this.#host.emit({
      event: effect.event,
      session: this.#context.projectId,
      task: this.name,
      at: this.#host.clock.now(),
      data,
    });
  }

  #persist(): void {
    const { desired, manual } = this.#machine;
    const { projectId } = this.#context;
    this.#host.saveTask(projectId, this.name, {
      desired,
      manual,
      changedAt: this.#host.clock.now(),
      adhoc: this.isAdHoc ? JSON.stringify(this.#spec) : null,
      state: encodeSavedState(savedStateOf(this.#machine, {
        error: this.#host.secrets.without(projectId, this.#machine.error),
        environment: this.#environment,
        readyRunId: this.#readyRunId,
      })),
    });
  }

  #runHook(hook: HookName, generation: number): void {
    const command = this.#spec.hooks[hook];
    if (command === undefined) {
      this.#inboxLater({ type: "hooked", generation, hook, error: null });
      return;
    }
    const cancel = new AbortController();
    this.#hooks.add(cancel);
    this.#scope.run(async (scopeSignal) => {
      const signal = AbortSignal.any([scopeSignal, cancel.signal]);
      const error = await this.#hookError(hook, command, signal);
      this.#hooks.delete(cancel);
      if (signal.aborted) return;
      this.dispatch({ type: "hooked", generation, hook, error });
    });
  }

  async #hookError(
    hook: HookName,
    command: string,
    signal: AbortSignal,
  ): Promise<ErrorShape | null> {
    try {
      await runTaskHook({
        hook,
        command,
        task: this,
        context: this.#context,
        host: this.#host,
        run: runOf(this.#machine),
        runEnvironment: this.#runEnvironment,
      }, signal);
      return null;
    } catch (error) {
      if (signal.aborted) return null;
      return this.#shapeOf(error, `hook ${hook}`);
    }
  }

  #cancelHooks(): void {
    for (const hook of this.#hooks) hook.abort();
  }

  /** An error for the machine; what is a mistake of ours is told to the host as well. */
  #shapeOf(error: unknown, doing: string): ErrorShape {
    const shape = startErrorShape(error, this.name);
    if (shape.error_code === "E900") this.#host.onError(error, doing);
    return shape;
  }

  /** Posts an input from within a step, to be applied after it. */
  #inboxLater(input: WithoutNow<Input>): void {
    this.#inbox.push(
      { ...input, now: this.#host.clock.monotonic() } as Input,
    );
  }

  async #spawn(generation: number): Promise<void> {
    try {
      const spec = this.#spec;
      await requireTaskFolder(spec, "start");
      const launched = await launchRun(this, this.#context, this.#host);
      const { run, env } = launched;
      this.#hasSubstitute = launched.isSubstitute;
      this.#runDigest = spec.digest;
      this.#runEnvironment = env;
      this.#isSettled = false;
      this.#lastStartedAt = run.startedAt;
      this.#host.store.atomically(() => {
        this.#host.store.runs.spawned(run);
        this.dispatch({ type: "spawned", generation, run });
      });
      this.#scope.run(async (signal) => {
        await this.#host.clock.sleep(SETTLE_MS, signal);
        if (runOf(this.#machine)?.runId !== run.runId) return;
        this.#isSettled = true;
        this.#options.onChange();
      });
    } catch (error) {
      const shape = this.#shapeOf(error, "spawn");
      this.dispatch({ type: "spawn_failed", generation, error: shape });
    }
  }

  /** The signal ends only the waiting: the keeper goes on, and the next controller is told how it ends. */
  async #terminate(
    { runId, isKill }: Effect & { type: "terminate" },
    signal: AbortSignal,
  ): Promise<void> {
    const steps = terminateSteps(this.#spec, isKill);
    const params = { runId, steps };
    const error = await this.#host.keeper.request("terminate", params, signal)
      .then(
        ({ gone, survivors }) => gone ? null : cannotEnd(this.name, survivors),
        (error) => {
          // There is no keeper to ask. Whoever waits for the end is told so; the next keeper ends what is left.
          if (error instanceof TaskmuxError) return error;
          throw error;
        },
      );
    if (error === null) return;
    this.dispatch({ type: "survived", runId, error: error.toShape() });
  }

  #startProbing(run: RunInfo): void {
    this.#probing?.abort();
    const cancel = new AbortController();
    this.#probing = cancel;
    this.#scope.run(async (scopeSignal) => {
      const signal = AbortSignal.any([scopeSignal, cancel.signal]);
      await probeRun({
        health: this.#spec.health,
        clock: this.#host.clock,
        probeOnce: (probeSignal) => this.#probe(run, probeSignal),
        waitForReadyLine: async (lineSignal) => {
          if (this.#readyRunId === run.runId) return true;
          const isSeen = await willPrint(this.#host, {
            projectId: this.#context.projectId,
            spec: this.#spec,
            run,
            pattern: this.#spec.health.readyLog ?? "",
            flags: "",
          }, lineSignal);
          if (!isSeen) return false;
          this.#readyRunId = run.runId;
          this.#persist();
          return true;
        },
        onResult: (result) =>
          this.dispatch({ type: "probed", runId: run.runId, result }),
      }, signal).catch((error) => {
        if (!signal.aborted) throw error;
      });
    });
  }

  #probe(run: RunInfo, signal: AbortSignal): Promise<ProbeResult> {
    return probe({
      health: this.#spec.health,
      port: run.port,
      alive: this.snapshot().run?.runId === run.runId,
      env: this.#runEnvironment,
      cwd: this.#spec.cwd,
      shell: this.#spec.shell,
      redactor: this.#host.secrets.redactorOf(this.#context.projectId),
    }, { clock: this.#host.clock, signal });
  }

  #filesChanged(files: readonly string[]): void {
    if (this.#machine.manual || this.#machine.desired !== "up") return;
    this.#emit({
      type: "emit",
      event: "auto_restart",
      data: {
        reason: "file_changed",
        files: files.slice(0, WATCHED_FILES_TOLD_MAX),
      },
    });
    this.dispatch({ type: "restart", isUsers: false, reason: "file_changed" });
  }

  #wakeAt(at: number): void {
    this.#wake?.abort();
    const cancel = new AbortController();
    this.#wake = cancel;
    const { clock } = this.#host;
    this.#scope.run(async (scopeSignal) => {
      const signal = AbortSignal.any([scopeSignal, cancel.signal]);
      try {
        await clock.sleep(Math.max(0, at - clock.monotonic()), signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      this.dispatch({ type: "wake" });
    });
  }
}
