/**
 * One program of a provider with what goes through it: a task, or all tasks of a project.
 *
 * @module
 */

import { DeadlineError, withDeadline } from "../../kit/deadline.ts";
import { TaskmuxError } from "../../domain/error.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type {
  TunnelContext,
  TunnelProvider,
  TunnelRelease,
  TunnelTarget,
} from "../../tunnels/tunnel_provider.ts";
import { isWorking, removeProcess, TunnelTask } from "./tunnel_process.ts";

/** Longest time for the answers of a provider to one change. */
const PROVIDER_MS = 120_000;

/** Longest time until a program that is ready tells its address. */
const ADDRESS_MS = 20_000;

/** How the carrier is. */
export type CarrierState =
  | { readonly kind: "working"; readonly runId: string | null }
  | { readonly kind: "failing"; readonly reason: string }
  /** Somebody restarts its program by hand. */
  | { readonly kind: "restarting" }
  /** Somebody stopped its program by hand. */
  | { readonly kind: "stopped" };

/** What a carrier works with. */
export interface CarrierOptions {
  readonly project: ProjectSupervisor;
  readonly provider: TunnelProvider;
  /** The program that an earlier daemon had for it; null = none is known. */
  readonly process: string | null;
}

/** What to bring up. */
export interface CarrierWish {
  readonly targets: readonly TunnelTarget[];
  readonly context: TunnelContext;
  readonly environment: string | null;
  readonly timeoutMs: number;
}

/** See the module. */
export class Carrier {
  readonly provider: TunnelProvider;
  readonly #project: ProjectSupervisor;
  /** What the provider was last brought to. */
  #applied: string | null = null;
  #task: TunnelTask | null = null;
  #process: string | null;

  constructor({ project, provider, process }: CarrierOptions) {
    this.#project = project;
    this.provider = provider;
    this.#process = process;
  }

  /** Name of the task that is the program; null = it needs none, or there is none yet. */
  get process(): string | null {
    return this.#process;
  }

  /** How it is now. */
  get state(): CarrierState {
    const task = this.#task;
    if (task === null) return { kind: "working", runId: null };
    const { runner, name } = task;
    const snapshot = runner?.snapshot() ?? null;
    if (runner === null || snapshot === null || snapshot.state === "stopped") {
      return this.#project.pending.has("restart", name)
        ? { kind: "restarting" }
        : { kind: "stopped" };
    }
    if (isWorking(runner)) {
      return { kind: "working", runId: snapshot.run?.runId ?? null };
    }
    const reason = snapshot.lastHealth?.reason ?? snapshot.reason ??
      snapshot.state;
    return { kind: "failing", reason: `"${task.name}": ${reason}` };
  }

  /** What the last words of its program mean, where its provider knows; else `reason`. */
  async explain(reason: string): Promise<string> {
    const meaning = await this.#task?.meaning((line) =>
      this.provider.explain(line)
    );
    return meaning ?? reason;
  }

  /** Whether it was brought to exactly these. */
  isAt(targets: readonly TunnelTarget[]): boolean {
    return this.#applied === keyOf(targets);
  }

  /** From now on it is not known what the provider was brought to: the next call tells it again. */
  doubt(): void {
    this.#applied = null;
  }

  /**
   * Brings provider and program to these targets; what is so already is left alone.
   *
   * @returns The address of each target by task.
   * @throws {TaskmuxError} E741. What was done stays done, and is completed by the next call.
   */
  async bring(
    wish: CarrierWish,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const { targets, context, environment, timeoutMs } = wish;
    await this.apply({ ...wish, providerMs: PROVIDER_MS }, signal);
    const explain = (line: string) => this.provider.explain(line);
    await this.#task?.ensure({ environment, timeoutMs, explain }, signal);
    return await this.addresses(targets, context, signal);
  }

  /**
   * Tells the provider of these targets and has the program run, without waiting until that is ready.
   *
   * @throws {TaskmuxError} E741. What was done stays done, and is completed by the next call.
   */
  async apply(
    { targets, context, environment, providerMs }:
      & Omit<CarrierWish, "timeoutMs">
      & { readonly providerMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    const key = keyOf(targets);
    if (this.#applied === key) return;
    this.#applied = null;
    const process = await this.#bounded(
      providerMs,
      (limited) => this.provider.open(targets, context, limited),
      signal,
    );
    if (this.#process !== (process?.name ?? null)) await this.#end(signal);
    this.#task = process === null
      ? null
      : new TunnelTask(this.#project, process);
    this.#process = process?.name ?? null;
    await this.#task?.start(environment, signal);
    this.#applied = key;
  }

  /** The address of each target by task, as it is now. */
  async addresses(
    targets: readonly TunnelTarget[],
    context: TunnelContext,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const running = this.#task?.running ?? null;
    const found = new Map<string, string>();
    for (const target of targets) {
      const url = await this.#bounded(
        ADDRESS_MS,
        (limited) => this.provider.addressOf(target, running, context, limited),
        signal,
      );
      found.set(target.task, url);
    }
    return found;
  }

  /** Ends the program, and has nothing lead here any more. */
  async close(
    context: TunnelContext,
    providerMs: number,
    signal: AbortSignal,
  ): Promise<TunnelRelease> {
    this.#applied = null;
    await this.#end(signal);
    return await this.#bounded(
      providerMs,
      (limited) => this.provider.close(context, { prune: false }, limited),
      signal,
    );
  }

  async #end(signal: AbortSignal): Promise<void> {
    if (this.#process !== null) {
      await removeProcess(this.#project, this.#process, signal);
    }
    this.#process = null;
    this.#task = null;
  }

  async #bounded<T>(
    ms: number,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { clock } = this.#project.host;
    try {
      return await withDeadline({ clock, ms, signal }, work);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      throw new TaskmuxError(
        "E741",
        `Cannot open the tunnel: ${this.provider.backend} did not answer within ${
          ms / 1000
        } s`,
        { hint: "taskmux tunnel test", cause: error },
      );
    }
  }
}

function keyOf(targets: readonly TunnelTarget[]): string {
  return JSON.stringify(
    targets.map(({ task, origin, hostname, reach }) => [
      task,
      origin,
      hostname,
      reach,
    ]).sort(),
  );
}
