/**
 * The tunnels of one project: opened and closed by hand, and following their tasks, their programs and the file.
 *
 * What is decided is done at once; what a provider has to do is done one after the other for each carrier. What is wanted
 * is written down first, so that a daemon that comes after a crash goes on from there.
 *
 * @module
 */

import { isTunnelProgram, type TunnelBackend } from "../../domain/tunnel.ts";
import { settledWithin } from "../../kit/deadline.ts";
import { Nudge } from "../../kit/nudge.ts";
import { TaskScope } from "../../kit/task_scope.ts";
import type { AccessRecord } from "../../proxy/public_access.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type {
  TunnelCheck,
  TunnelContext,
  TunnelProvider,
  TunnelRelease,
  TunnelTarget,
} from "../../tunnels/tunnel_provider.ts";
import { carrierKey } from "./carrier_key.ts";
import { Expiries } from "./expiries.ts";
import { type LiveTunnel, OpenTunnels } from "./open_tunnels.ts";
import type { TunnelNotes, TunnelRecord } from "./tunnel_notes.ts";
import { moodOf, taskFacts } from "./tunnel_facts.ts";
import {
  type StandingWish,
  TunnelOpener,
  type TunnelWish,
  type UpRequest,
} from "./tunnel_opener.ts";
import { removeProcess } from "./tunnel_process.ts";
import {
  type CloseReason,
  judgeTunnel,
  type TunnelVerdict,
} from "./tunnel_verdict.ts";
import type { SettingOverrides, TunnelWorld } from "./tunnel_world.ts";
import { Turns } from "./turns.ts";

/** Longest pause between two looks: wall time may jump, and an end is told in it. */
const LOOK_MS = 30_000;

/** Pause after a look that failed. */
const TROUBLE_MS = 5_000;

/** Longest time that the end of a project waits for providers. */
const END_MS = 5_000;

/** What becomes of what stands. */
interface CloseHow {
  /** It is over as well. */
  readonly isOver: boolean;
  /** It opens again by itself. */
  readonly isKept?: boolean;
}

/** Longest time for a program that is tried again. */
const RETRY_MS = 60_000;

/** Pause between two looks whether what was asked for is open. */
const SETTLED_LOOK_MS = 50;

/** See the module. Disposal closes the gates; programs run on for the next daemon. */
export class ProjectTunnels implements AsyncDisposable {
  readonly project: ProjectSupervisor;
  readonly notes: TunnelNotes;
  readonly #world: TunnelWorld;
  readonly #scope: TaskScope;
  readonly #nudge = new Nudge();
  readonly #open: OpenTunnels;
  readonly #turns = new Turns();
  readonly #opener: TunnelOpener;
  readonly #expiries: Expiries;
  /** Carriers that are looked after just now. */
  readonly #tending = new Set<string>();
  /** Why what is closed is closed. */
  readonly #waits = new Map<string, TunnelVerdict & { kind: "wait" }>();
  readonly #swept = Promise.withResolvers<void>();
  #isEnding = false;

  constructor(
    project: ProjectSupervisor,
    notes: TunnelNotes,
    world: TunnelWorld,
  ) {
    this.project = project;
    this.notes = notes;
    this.#world = world;
    this.#open = new OpenTunnels({ project, notes, world });
    this.#expiries = new Expiries(project.host.clock);
    this.#scope = new TaskScope((error) =>
      world.onError(error, `tunnels of ${project.projectId}`)
    );
    this.#opener = new TunnelOpener({
      project,
      notes,
      world,
      open: this.#open,
      turns: this.#turns,
      scope: this.#scope,
    });
    this.#scope.run((signal) => this.#follow(signal));
  }

  /** What has a gate now, by task. */
  get live(): ReadonlyMap<string, LiveTunnel> {
    return this.#open.live;
  }

  /** Why a standing tunnel is closed; null = it is not. */
  waitOf(task: string): (TunnelVerdict & { kind: "wait" }) | null {
    return this.#waits.get(task) ?? null;
  }

  /** Opens a tunnel, or changes an open one, see {@linkcode TunnelOpener.up}. */
  async up(
    request: UpRequest,
    signal: AbortSignal,
  ): Promise<"opened" | "changed" | "noop"> {
    const both = AbortSignal.any([signal, this.#scope.signal]);
    await this.#swept.promise;
    both.throwIfAborted();
    this.#opener.requireFree(request);
    const other = this.notes.find(request.task);
    if (other !== null && carrierKey(other) !== carrierKey(request)) {
      await this.#opener.foresee(request, both);
      await this.#close([other], "down", { isOver: true });
    }
    try {
      return await this.#opener.up(request, both);
    } finally {
      this.#nudge.nudge();
    }
  }

  /**
   * Closes tunnels by hand. One that is being opened is given up.
   *
   * @returns The tasks, and what could not be told to a provider.
   */
  async down(
    tasks: readonly string[],
    because: "down" | "disabled",
  ): Promise<{ readonly closed: string[]; readonly warnings: string[] }> {
    const records = tasks.flatMap((task) => this.notes.find(task) ?? []);
    const isOver = because === "disabled";
    const warnings = await this.#close(records, because, { isOver });
    this.#nudge.nudge();
    return { closed: records.map(({ task }) => task), warnings };
  }

  /** Closes everything, because the project or the daemon ends. What stands goes on standing. */
  async end(because: "daemon_stopped" | "task_removed"): Promise<void> {
    this.#isEnding = true;
    const { clock } = this.project.host;
    const { signal } = new AbortController();
    const isOver = because === "task_removed";
    const standing = this.notes.records.filter((record) => record.standing);
    const others = this.notes.records.filter((record) => !record.standing);
    const { promise, resolve } = Promise.withResolvers<void>();
    // Programs end with the other tasks, and providers see that by themselves: what takes longer is not waited for.
    this.#scope.run(async () => {
      try {
        await Promise.all([
          this.#close(others, because, { isOver: true }),
          this.#close(standing, because, { isOver, isKept: !isOver }),
        ]);
      } finally {
        resolve();
      }
    });
    await settledWithin(promise, { clock, ms: END_MS, signal });
  }

  /**
   * Cuts off at once; then tells providers.
   *
   * @returns What could not be told.
   */
  async #close(
    records: readonly TunnelRecord[],
    because: CloseReason,
    how: CloseHow,
  ): Promise<string[]> {
    const gates = records.map((record) => this.#shut(record, because, how));
    const keys = [...new Set(records.map(carrierKey))];
    // Queued now: who was interrupted begins anew behind it.
    const told = keys.map((key) =>
      this.#turns.take(
        key,
        this.#scope.signal,
        (turn) => this.#open.release(key, turn),
      )
    );
    const [warnings] = await Promise.all([
      Promise.all(told),
      Promise.all(gates),
    ]);
    return warnings.flat();
  }

  /** Closes a gate, and cuts short who opens something there. */
  async #shut(
    record: TunnelRecord,
    because: CloseReason,
    { isOver, isKept = false }: CloseHow,
  ): Promise<void> {
    const { task, standing } = record;
    try {
      if (isOver || !standing) this.notes.remove(task);
      else if (!isKept) this.notes.change(task, { isPaused: true });
    } finally {
      const closing = this.#open.closeGate(record, because);
      this.#turns.interrupt(carrierKey(record));
      await closing;
    }
  }

  /** Changes who is let in; what is open stays open. */
  setAccess(task: string, access: AccessRecord): void {
    this.notes.change(task, { access });
    this.live.get(task)?.entrance.control.replace(access);
  }

  /**
   * Has tunnels stand: each opens whenever its task runs. Nothing is opened before the caller has had everything checked.
   *
   * @throws {TaskmuxError} E742 if somebody has one of the names; then none stands.
   */
  stand(wishes: readonly StandingWish[]): void {
    for (const wish of wishes) this.requireFree(wish);
    for (const wish of wishes) {
      this.#waits.delete(wish.task);
      this.notes.set({
        openedAt: null,
        port: null,
        process: null,
        publicUrl: null,
        ...this.notes.find(wish.task),
        ...wish,
        standing: true,
        isPaused: false,
        bootId: this.project.host.keeper.bootId,
      });
    }
    this.#nudge.nudge();
  }

  /** Resolves once each of these is open, failing or waiting for its task: none is about to open any more. */
  async settled(tasks: readonly string[], signal: AbortSignal): Promise<void> {
    const { clock } = this.project.host;
    const both = AbortSignal.any([signal, this.#scope.signal]);
    // Providers take seconds; nobody tells that one has answered.
    while (tasks.some((task) => this.#isComing(task))) {
      await clock.sleep(SETTLED_LOOK_MS, both);
    }
  }

  /**
   * Tries again now what fails, as whoever asks has perhaps set right what was wrong.
   *
   * @param environment Name of the environment of whoever asks, which counts from now on; null = as before.
   * @throws {TaskmuxError} E741 if it fails again.
   */
  async retry(
    tasks: readonly string[],
    environment: string | null,
    signal: AbortSignal,
  ): Promise<void> {
    const both = AbortSignal.any([signal, this.#scope.signal]);
    const keys = new Set<string>();
    for (const record of tasks.flatMap((task) => this.notes.find(task) ?? [])) {
      const { task } = record;
      if (environment !== null) this.notes.change(task, { environment });
      if (this.live.get(task)?.state !== "failing") continue;
      keys.add(carrierKey(record));
    }
    const how = { environment: null, timeoutMs: RETRY_MS };
    for (const key of keys) {
      await this.#turns.take(
        key,
        both,
        (turn) => this.#open.bring(key, how, turn),
      );
    }
  }

  #isComing(task: string): boolean {
    const live = this.live.get(task);
    return live === undefined
      ? this.notes.find(task) !== null && !this.#waits.has(task)
      : live.state === "opening";
  }

  /** Refuses a public name that another task has, see {@linkcode TunnelOpener.requireFree}. */
  requireFree(wish: Pick<TunnelWish, "hostname" | "task">): void {
    this.#opener.requireFree(wish);
  }

  /** The world as a provider sees it for this project and caller. */
  async context(
    backend: TunnelBackend,
    { environment, overrides }: {
      readonly environment: string | null;
      readonly overrides?: SettingOverrides;
    },
  ): Promise<TunnelContext> {
    return await this.#open.context(backend, environment, overrides);
  }

  /** Looks whether tunnels could be opened; changes nothing. */
  async check(
    provider: TunnelProvider,
    targets: readonly TunnelTarget[],
    { environment, overrides }: {
      readonly environment: string | null;
      readonly overrides?: SettingOverrides;
    },
    signal: AbortSignal,
  ): Promise<readonly TunnelCheck[]> {
    const context = await this.#open.context(
      provider.backend,
      environment,
      overrides,
    );
    return await provider.check(targets, context, signal);
  }

  /** Has nothing of ours be left at a provider, as far as `prune` says so. All its tunnels must be closed. */
  async release(
    provider: TunnelProvider,
    options: { readonly prune: boolean; readonly environment: string | null },
    signal: AbortSignal,
  ): Promise<TunnelRelease> {
    const both = AbortSignal.any([signal, this.#scope.signal]);
    return await this.#turns.take(provider.backend, both, async (turn) => {
      const context = await this.#open.context(
        provider.backend,
        options.environment,
      );
      return await provider.close(context, options, turn);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#nudge.nudge();
    await this.#scope[Symbol.asyncDispose]();
    await this.#open[Symbol.asyncDispose]();
    await this.#turns.over();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      await this.#sweep(signal);
    } finally {
      this.#swept.resolve();
    }
    while (!signal.aborted) {
      const seen = moodOf(this.project, this.notes.records);
      try {
        await this.#settle();
        await this.#news(seen, signal);
      } catch (error) {
        signal.throwIfAborted();
        // Whatever it is, what has to be closed must be closed.
        this.#world.onError(error, `tunnels of ${this.project.projectId}`);
        await this.project.host.clock.sleep(TROUBLE_MS, signal);
      }
    }
  }

  /** What a crash has left half done: tunnels that were never open, and programs of which no record knows. */
  async #sweep(signal: AbortSignal): Promise<void> {
    for (const { task, standing, openedAt } of this.notes.records) {
      if (!standing && openedAt === null) this.notes.remove(task);
    }
    const known = new Set(this.notes.records.map(({ process }) => process));
    for (const { name, spec } of this.project.ownRunners) {
      if (!isTunnelProgram(spec) || known.has(name)) continue;
      await removeProcess(this.project, name, signal);
    }
  }

  /** Resolves when there may be something to do. */
  async #news(seen: string, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const changed = this.project.until(
      () =>
        moodOf(this.project, this.notes.records) === seen ? undefined : true,
      both,
    );
    const endMs = this.#expiries.nextMs(
      this.notes.records.filter(({ task }) => this.live.has(task)),
    );
    const ms = Math.max(0, Math.min(LOOK_MS, this.#open.retryInMs, endMs));
    try {
      await Promise.race([changed, this.#nudge.wait(ms)]);
    } finally {
      over.abort();
      await Promise.allSettled([changed]);
    }
  }

  /** Has everything be brought to where it should be. */
  async #settle(): Promise<void> {
    this.#expiries.keep(this.notes.records);
    for (const record of this.notes.records) this.#judge(record);
    for (const record of this.#open.stopped) {
      this.#closeSoon(record, "process_stopped", { isOver: false });
    }
    for (const key of await this.#open.restless()) this.#tend(key);
  }

  #tend(key: string): void {
    if (this.#tending.has(key)) return;
    this.#tending.add(key);
    this.#scope.run(async (signal) => {
      try {
        await this.#turns.take(
          key,
          signal,
          (turn) => this.#open.tend(key, turn),
        );
      } finally {
        this.#tending.delete(key);
        this.#nudge.nudge();
      }
    });
  }

  #judge(record: TunnelRecord): void {
    const { host } = this.project;
    const { task } = record;
    const verdict = judgeTunnel({
      record,
      task: taskFacts(this.project, task),
      leftMs: this.#expiries.leftMs(record),
      bootId: host.keeper.bootId,
      isEnding: this.#isEnding,
    });
    const { kind } = verdict;
    if (kind === "wait") this.#waits.set(task, verdict);
    else this.#waits.delete(task);
    // For good: somebody may set the time back.
    if (kind === "wait" && verdict.because === "expired" && !record.isPaused) {
      this.notes.change(task, { isPaused: true });
    }
    if (kind === "open") {
      if (this.live.has(task)) return;
      this.#scope.run(async () => {
        await this.#open.openEntrance(record);
        this.#nudge.nudge();
      });
    } else if (kind === "drop" || this.live.has(task)) {
      const how = { isOver: kind === "drop", isKept: true };
      this.#closeSoon(record, verdict.because, how);
    }
  }

  #closeSoon(record: TunnelRecord, because: CloseReason, how: CloseHow): void {
    this.#scope.run(async () => {
      await this.#close([record], because, how);
    });
  }
}
