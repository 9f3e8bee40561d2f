/**
 * What is open of a project's tunnels: gates, programs, addresses, and what is told of them.
 *
 * Does what it is told, in the order in which it is told; who decides waits for one thing before the next.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { TunnelBackend, TunnelState } from "../../domain/tunnel.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type {
  TunnelContext,
  TunnelTarget,
} from "../../tunnels/tunnel_provider.ts";
import { Carrier, type CarrierWish } from "./carrier.ts";
import { carrierKey } from "./carrier_key.ts";
import { publicAuthority } from "./public_authority.ts";
import { type EntranceOptions, PublicEntrance } from "./public_entrance.ts";
import { Retries } from "./retries.ts";
import { tunnelContext } from "./tunnel_context.ts";
import { tellTunnel } from "./tunnel_news.ts";
import {
  isSameTunnel,
  type TunnelNotes,
  type TunnelRecord,
} from "./tunnel_notes.ts";
import type { CloseReason } from "./tunnel_verdict.ts";
import type { SettingOverrides, TunnelWorld } from "./tunnel_world.ts";

/** Longest time until a program that is started again is ready. */
const REOPEN_MS = 60_000;

/** How long a program may fail by itself before its provider is told everything again. */
const REPAIR_MS = 5_000;

/** Longest time that somebody who closes a tunnel waits for its provider. */
const RELEASE_MS = 15_000;

/** A tunnel that has a gate. */
export interface LiveTunnel {
  readonly entrance: PublicEntrance;
  readonly state: TunnelState;
  readonly reason: string | null;
  /** Run of the program whose address is known. */
  readonly runId: string | null;
  /** Whether its provider may be told of it: every check has passed. */
  readonly isChecked: boolean;
}

/** What is to be done about a carrier. */
type Need =
  | "nothing"
  /** What went through it was closed, which its provider does not know yet. */
  | "release"
  /** It is not at its targets, or their addresses are not known. */
  | "bring"
  /** Its program does not work. */
  | "repair"
  /** Its program was stopped by hand. */
  | "stopped";

/** How a carrier is brought up. */
export interface BringOptions {
  /** Name of the environment; null = the one that was asked with first. */
  readonly environment: string | null;
  readonly timeoutMs: number;
}

/** What is open belongs to this. */
export interface OpenTunnelsOptions {
  readonly project: ProjectSupervisor;
  readonly notes: TunnelNotes;
  readonly world: TunnelWorld;
}

/** See the module. Disposal closes the gates; programs run on for the next daemon. */
export class OpenTunnels implements AsyncDisposable {
  readonly #project: ProjectSupervisor;
  readonly #notes: TunnelNotes;
  readonly #world: TunnelWorld;
  readonly #live = new Map<string, LiveTunnel>();
  readonly #carriers = new Map<string, Carrier>();
  readonly #retries: Retries;
  /** Carriers of which something was closed that their provider does not know yet, with what was closed last. */
  readonly #left = new Map<string, TunnelRecord>();
  readonly #entering = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor({ project, notes, world }: OpenTunnelsOptions) {
    this.#project = project;
    this.#notes = notes;
    this.#world = world;
    this.#retries = new Retries(project.host.clock);
  }

  /** What has a gate now, by task. */
  get live(): ReadonlyMap<string, LiveTunnel> {
    return this.#live;
  }

  /** Milliseconds until something is to be tried again, as {@linkcode restless} saw it last; Infinity = nothing is. */
  get retryInMs(): number {
    return this.#retries.nextInMs;
  }

  /** The world for a provider. */
  async context(
    backend: TunnelBackend,
    environment: string | null,
    overrides?: SettingOverrides,
  ): Promise<TunnelContext> {
    return await tunnelContext({
      project: this.#project,
      world: this.#world,
      notes: this.#notes,
      backend,
      environment,
      ...overrides === undefined ? {} : { overrides },
    });
  }

  /** Opens the gate of a record, if it has none. Nobody is told of it yet. */
  async openEntrance({ task }: TunnelRecord): Promise<void> {
    if (this.#live.has(task)) return;
    const known = this.#entering.get(task);
    if (known !== undefined) return await known;
    const entering = this.#enter(task);
    this.#entering.set(task, entering);
    try {
      await entering;
    } finally {
      this.#entering.delete(task);
    }
  }

  async #enter(task: string): Promise<void> {
    const before = this.#notes.find(task);
    if (before === null) return;
    await using unused = new AsyncDisposableStack();
    const opening = PublicEntrance.open(this.#entranceOf(before));
    const entrance = unused.use(await opening);
    const record = this.#notes.find(task);
    // It was closed meanwhile.
    if (record === null || record.isPaused || this.#isClosed) return;
    entrance.control.replace(record.access);
    unused.move();
    this.#live.set(task, {
      entrance,
      state: "opening",
      reason: null,
      runId: null,
      isChecked: record.openedAt !== null || record.standing,
    });
    if (record.port !== entrance.port) {
      this.#notes.change(task, { port: entrance.port });
    }
  }

  #entranceOf({ task, port, access }: TunnelRecord): EntranceOptions {
    const project = this.#project;
    const world = this.#world;
    const { projectId } = project;
    return {
      port,
      access,
      logPath: world.requestLog(projectId, task),
      clock: project.host.clock,
      find: (client) => world.route({ projectId, task }, client),
      failed: (upstream, error) => world.failed(upstream, error),
      facts: () => ({
        publicUrl: this.#notes.find(task)?.publicUrl ?? null,
        authority: publicAuthority(project, task),
      }),
      onAccess: (access) => this.#notes.change(task, { access }),
      onError: (error) => world.onError(error, `gate of ${projectId}/${task}`),
    };
  }

  /** Every check of a task has passed: its provider may be told of it. */
  admit(task: string): void {
    const live = this.#live.get(task);
    if (live !== undefined) this.#live.set(task, { ...live, isChecked: true });
  }

  /**
   * The targets of everything that has a gate and goes through one carrier.
   *
   * @param asked A task that counts although it is not checked yet.
   */
  targetsOf(key: string, asked?: string): TunnelTarget[] {
    return this.#recordsOf(key, asked).map(({ task, hostname, reach }) => {
      const port = this.#live.get(task)?.entrance.port;
      return { task, origin: `http://127.0.0.1:${port}`, hostname, reach };
    });
  }

  #recordsOf(key: string, asked?: string): TunnelRecord[] {
    return this.#notes.records.filter((record) => {
      const live = this.#live.get(record.task);
      return live !== undefined && carrierKey(record) === key &&
        (live.isChecked || record.task === asked);
    });
  }

  async #carrierOf(key: string, record: TunnelRecord): Promise<Carrier> {
    const known = this.#carriers.get(key);
    if (known !== undefined) return known;
    const provider = await this.#world.provider(record.backend);
    const carrier = new Carrier({
      project: this.#project,
      provider,
      process: record.process,
    });
    this.#carriers.set(key, carrier);
    return carrier;
  }

  /** Brings a carrier to what is to go through it, and tells what came of it. */
  async bring(
    key: string,
    { environment, timeoutMs }: {
      readonly environment: string | null;
      readonly timeoutMs: number;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const records = this.#recordsOf(key);
    const [first] = records;
    if (first === undefined) return;
    const wish = await this.#wishOf(key, first, environment);
    const carrier = await this.#carrierOf(key, first);
    let urls: ReadonlyMap<string, string>;
    try {
      urls = await carrier.bring({ ...wish, timeoutMs }, signal);
    } finally {
      for (const { task } of records) {
        this.#notes.change(task, { process: carrier.process });
      }
    }
    this.#retries.forget(key);
    this.#left.delete(key);
    const { state } = carrier;
    const runId = state.kind === "working" ? state.runId : null;
    for (const record of records) {
      const url = urls.get(record.task) ?? null;
      if (isSameTunnel(record, this.#notes.find(record.task))) {
        this.#opened(record.task, url, runId);
      }
    }
  }

  async #wishOf(
    key: string,
    first: TunnelRecord,
    environment: string | null,
  ): Promise<Omit<CarrierWish, "timeoutMs">> {
    const name = environment ?? first.environment;
    const context = await this.context(first.backend, name);
    return { targets: this.targetsOf(key), context, environment: name };
  }

  /** Its name leads to it. */
  #opened(task: string, url: string | null, runId: string | null): void {
    const live = this.#live.get(task);
    const record = this.#notes.find(task);
    if (live === undefined || record === null) return;
    const isNew = record.openedAt === null;
    const wasFailing = live.state === "failing";
    const isMoved = record.publicUrl !== null && record.publicUrl !== url;
    this.#live.set(task, { ...live, state: "open", reason: null, runId });
    const { clock } = this.#project.host;
    this.#notes.change(task, {
      publicUrl: url,
      openedAt: record.openedAt ?? clock.now(),
    });
    // One that was open under an earlier daemon has been told.
    if (isNew) {
      tellTunnel(this.#project, record, {
        event: "tunnel_opened",
        url,
        access: record.access.kind,
        expiresAt: record.expiresAt,
      });
    } else if (wasFailing || isMoved) {
      tellTunnel(this.#project, record, { event: "tunnel_recovered", url });
    }
  }

  #failing(task: string, reason: string): void {
    const live = this.#live.get(task);
    const record = this.#notes.find(task);
    if (live === undefined || record === null) return;
    const isNews = live.state !== "failing" && record.openedAt !== null;
    this.#live.set(task, { ...live, state: "failing", reason });
    if (isNews) {
      tellTunnel(this.#project, record, {
        event: "tunnel_failed",
        url: record.publicUrl,
        reason,
      });
    }
  }

  /**
   * Cuts off a task, at once. The record itself is the caller's to change, its provider is to be told by
   * {@linkcode release}.
   */
  async closeGate(record: TunnelRecord, because: CloseReason): Promise<void> {
    const { task, openedAt, publicUrl } = record;
    const live = this.#live.get(task);
    this.#live.delete(task);
    this.#left.set(carrierKey(record), record);
    const closing = live?.entrance[Symbol.asyncDispose]();
    try {
      this.#notes.change(task, { openedAt: null });
      if (openedAt !== null) {
        tellTunnel(this.#project, record, {
          event: "tunnel_closed",
          url: publicUrl,
          reason: because,
        });
      }
    } finally {
      await closing;
    }
  }

  /**
   * Has a provider know of what was closed.
   *
   * @returns What it could not be told.
   */
  async release(key: string, signal: AbortSignal): Promise<string[]> {
    const record = this.#left.get(key);
    if (record === undefined) return [];
    try {
      const [first] = this.#recordsOf(key);
      if (first === undefined) await this.#closeCarrier(key, record, signal);
      else {
        const carrier = await this.#carrierOf(key, first);
        const wish = await this.#wishOf(key, first, null);
        await carrier.apply({ ...wish, providerMs: RELEASE_MS }, signal);
      }
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      return [
        `The gate is closed, so nobody gets through to "${record.task}"; ${record.backend} could not be told: ${error.message}`,
      ];
    } finally {
      // What was interrupted is done by whoever did that.
      if (!signal.aborted) this.#left.delete(key);
    }
    return [];
  }

  async #closeCarrier(
    key: string,
    record: TunnelRecord,
    signal: AbortSignal,
  ): Promise<void> {
    this.#retries.forget(key);
    const carrier = await this.#carrierOf(key, record);
    const context = await this.context(record.backend, record.environment);
    await carrier.close(context, RELEASE_MS, signal);
    if (!this.#notes.records.some((each) => carrierKey(each) === key)) {
      this.#carriers.delete(key);
    }
    this.#notes.change(record.task, { process: null });
  }

  /** Notes how the carriers are, and tells of what fails. @returns Those about which something is to be done now. */
  async restless(): Promise<string[]> {
    const keys = new Set([
      ...this.#notes.records.map(carrierKey),
      ...this.#left.keys(),
    ]);
    const restless: string[] = [];
    for (const key of keys) if (await this.#isRestless(key)) restless.push(key);
    return restless;
  }

  async #isRestless(key: string): Promise<boolean> {
    const need = this.#needOf(key);
    if (need === "release") return true;
    if (need === "nothing" || need === "stopped") {
      this.#retries.forget(key);
      return false;
    }
    if (need === "repair") await this.#noteFailing(key);
    const pauseMs = need === "repair" ? REPAIR_MS : 0;
    return this.#retries.isDue(key, this.#aimOf(key, need), pauseMs);
  }

  /** Tasks whose program somebody stopped by hand. */
  get stopped(): TunnelRecord[] {
    return this.#notes.records.filter((record) =>
      this.#live.has(record.task) &&
      this.#needOf(carrierKey(record)) === "stopped"
    );
  }

  /** Does what is to be done about a carrier. What fails is told, and done again after a pause. */
  async tend(key: string, signal: AbortSignal): Promise<void> {
    const need = this.#needOf(key);
    if (need === "release") return void await this.release(key, signal);
    if (need !== "bring" && need !== "repair") return;
    if (need === "repair") this.#carriers.get(key)?.doubt();
    const aim = this.#aimOf(key, need);
    try {
      await this.bring(
        key,
        { environment: null, timeoutMs: REOPEN_MS },
        signal,
      );
    } catch (error) {
      if (signal.aborted) throw error;
      this.#retries.failed(key, aim);
      if (!(error instanceof TaskmuxError)) throw error;
      this.#noteUntold(key, error.message);
    }
  }

  /** What a retry is for: another thing need not wait for it. */
  #aimOf(key: string, need: Need): string {
    const state = this.#carriers.get(key)?.state;
    return state?.kind === "working" ? `${need} ${state.runId}` : need;
  }

  #needOf(key: string): Need {
    const records = this.#recordsOf(key);
    if (this.#left.has(key)) return "release";
    if (records.length === 0) return "nothing";
    const carrier = this.#carriers.get(key);
    if (!carrier?.isAt(this.targetsOf(key))) return "bring";
    const { state } = carrier;
    switch (state.kind) {
      case "restarting":
        return "nothing";
      case "stopped":
        return "stopped";
      case "failing":
        return "repair";
      case "working":
        return records.every(({ task }) => {
            const live = this.#live.get(task);
            return live?.state === "open" && live.runId === state.runId;
          })
          ? "nothing"
          : "bring";
    }
  }

  /** Its program does not work. */
  async #noteFailing(key: string): Promise<void> {
    const carrier = this.#carriers.get(key);
    if (carrier?.state.kind !== "failing") return;
    // What is just being opened is not ready yet, and what has been told is told once.
    const isNews = (task: string): boolean =>
      this.#live.get(task)?.state === "open";
    const tasks = this.#recordsOf(key).map(({ task }) => task).filter(isNews);
    if (tasks.length === 0) return;
    const reason = await carrier.explain(carrier.state.reason);
    for (const task of tasks.filter(isNews)) this.#failing(task, reason);
  }

  /** Its provider does not do what it is told: what is open goes on as it was. */
  #noteUntold(key: string, reason: string): void {
    const works = this.#carriers.get(key)?.state.kind === "working";
    for (const { task } of this.#recordsOf(key)) {
      const live = this.#live.get(task);
      if (works && live?.state === "open") {
        this.#live.set(task, { ...live, reason });
      } else this.#failing(task, reason);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const open = [...this.#live.values()];
    this.#live.clear();
    await Promise.all(
      open.map(({ entrance }) => entrance[Symbol.asyncDispose]()),
    );
    await Promise.allSettled(this.#entering.values());
  }
}
