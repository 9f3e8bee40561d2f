/**
 * What is open of a project's tunnels: gates, programs, addresses, and what is told of them.
 *
 * Does what it is told, in the order in which it is told; who decides waits for one thing before the next.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { EventType } from "../../domain/event.ts";
import type { TunnelBackend, TunnelState } from "../../domain/tunnel.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type {
  TunnelContext,
  TunnelTarget,
} from "../../tunnels/tunnel_provider.ts";
import { Carrier } from "./carrier.ts";
import { publicAuthority } from "./public_authority.ts";
import { PublicEntrance } from "./public_entrance.ts";
import { tunnelContext } from "./tunnel_context.ts";
import type { TunnelNotes, TunnelRecord } from "./tunnel_notes.ts";
import type { CloseReason } from "./tunnel_verdict.ts";
import type { SettingOverrides, TunnelWorld } from "./tunnel_world.ts";

/** Pause before the second attempt at what failed, doubled with each, up to the longest. */
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 60_000;

/** Longest time until a program that is started again is ready. */
const REOPEN_MS = 60_000;

/** A tunnel that has a gate. */
export interface LiveTunnel {
  readonly entrance: PublicEntrance;
  readonly state: TunnelState;
  readonly reason: string | null;
  /** Run of the program whose address is known. */
  readonly runId: string | null;
}

interface Retry {
  readonly at: number;
  readonly pauseMs: number;
}

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
  readonly #retries = new Map<string, Retry>();

  constructor({ project, notes, world }: OpenTunnelsOptions) {
    this.#project = project;
    this.#notes = notes;
    this.#world = world;
  }

  /** What has a gate now, by task. */
  get live(): ReadonlyMap<string, LiveTunnel> {
    return this.#live;
  }

  /** Milliseconds until something that failed is to be tried again; Infinity = nothing is. */
  get retryInMs(): number {
    const now = this.#project.host.clock.monotonic();
    return Math.min(
      Infinity,
      ...this.#retries.values().map(({ at }) => at - now),
    );
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

  async openEntrance(record: TunnelRecord): Promise<LiveTunnel> {
    const { task } = record;
    const known = this.#live.get(task);
    if (known !== undefined) return known;
    const project = this.#project;
    const { projectId } = project;
    const world = this.#world;
    const entrance = await PublicEntrance.open({
      port: record.port,
      access: record.access,
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
    });
    const live: LiveTunnel = {
      entrance,
      state: "opening",
      reason: null,
      runId: null,
    };
    this.#live.set(task, live);
    if (record.port !== entrance.port) {
      this.#notes.change(task, { port: entrance.port });
    }
    return live;
  }

  /** The targets of everything that has a gate and goes through one carrier. */
  targetsOf(key: string): TunnelTarget[] {
    return this.#notes.records.flatMap((record) => {
      const live = this.#live.get(record.task);
      if (live === undefined || carrierKey(record) !== key) return [];
      const { task, hostname, reach } = record;
      const origin = `http://127.0.0.1:${live.entrance.port}`;
      return [{ task, origin, hostname, reach }];
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
    const records = this.#notes.records.filter((record) =>
      this.#live.has(record.task) && carrierKey(record) === key
    );
    const [first] = records;
    if (first === undefined) return;
    const carrier = await this.#carrierOf(key, first);
    const context = await this.context(
      first.backend,
      environment ?? first.environment,
    );
    const targets = this.targetsOf(key);
    const wish = {
      targets,
      context,
      timeoutMs,
      environment: environment ?? first.environment,
    };
    let urls: ReadonlyMap<string, string>;
    try {
      urls = await carrier.bring(wish, signal);
    } finally {
      for (const { task } of records) {
        this.#notes.change(task, { process: carrier.process });
      }
    }
    this.#retries.delete(key);
    const { state } = carrier;
    const runId = state.kind === "working" ? state.runId : null;
    for (const record of records) {
      this.#opened(record.task, urls.get(record.task) ?? null, runId);
    }
  }

  /** Its name leads to it. */
  #opened(task: string, url: string | null, runId: string | null): void {
    const live = this.#live.get(task);
    const record = this.#notes.find(task);
    if (live === undefined || record === null) return;
    const isNew = live.state === "opening";
    const wasFailing = live.state === "failing";
    const isMoved = record.publicUrl !== null && record.publicUrl !== url;
    this.#live.set(task, { ...live, state: "open", reason: null, runId });
    const { clock } = this.#project.host;
    this.#notes.change(task, {
      publicUrl: url,
      openedAt: isNew ? record.openedAt ?? clock.now() : record.openedAt,
    });
    // One that was open under an earlier daemon has been told.
    if (isNew && record.openedAt === null) {
      this.#emit("tunnel_opened", record, url, {
        access: record.access.kind,
        ...record.expiresAt === null
          ? {}
          : { expires_at: record.expiresAt / 1000 },
      });
    } else if (wasFailing || isMoved) {
      this.#emit("tunnel_recovered", record, url, {});
    }
  }

  #failing(task: string, reason: string): void {
    const live = this.#live.get(task);
    const record = this.#notes.find(task);
    if (live === undefined || record === null) return;
    const isNews = live.state !== "failing" && record.openedAt !== null;
    this.#live.set(task, { ...live, state: "failing", reason });
    if (isNews) {
      this.#emit("tunnel_failed", record, record.publicUrl, { reason });
    }
  }

  /**
   * Closes what a record had opened. The record itself is the caller's to change first.
   *
   * @returns What could not be told to its provider.
   */
  async shut(
    record: TunnelRecord,
    because: CloseReason,
    signal: AbortSignal,
  ): Promise<string[]> {
    const { task, openedAt, publicUrl } = record;
    const live = this.#live.get(task);
    this.#live.delete(task);
    await live?.entrance[Symbol.asyncDispose]();
    this.#notes.change(task, { openedAt: null });
    if (openedAt !== null) {
      this.#emit("tunnel_closed", record, publicUrl, { reason: because });
    }
    const key = carrierKey(record);
    try {
      if (this.targetsOf(key).length > 0) {
        const how = { environment: null, timeoutMs: REOPEN_MS };
        await this.bring(key, how, signal);
      } else await this.#closeCarrier(key, record, signal);
      return [];
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      this.#world.onError(error, `close the tunnel of ${task}`);
      return [
        `The gate is closed, so nobody gets through; ${record.backend} could not be told: ${error.message}`,
      ];
    }
  }

  async #closeCarrier(
    key: string,
    record: TunnelRecord,
    signal: AbortSignal,
  ): Promise<void> {
    this.#retries.delete(key);
    const carrier = await this.#carrierOf(key, record);
    this.#carriers.delete(key);
    const context = await this.context(record.backend, record.environment);
    await carrier.close(context, { prune: false }, signal);
    this.#notes.change(record.task, { process: null });
  }

  /** Looks after a carrier: what is not at its targets is brought there, what is down is told. */
  async tend(key: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#project.host;
    const targets = this.targetsOf(key);
    const carrier = this.#carriers.get(key);
    if (
      carrier?.isAt(targets) && await this.#isTended(carrier, targets, signal)
    ) {
      return;
    }
    const retry = this.#retries.get(key);
    if (retry !== undefined && clock.monotonic() < retry.at) return;
    try {
      const how = { environment: null, timeoutMs: REOPEN_MS };
      await this.bring(key, how, signal);
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      const pauseMs = Math.min(
        MAX_RETRY_MS,
        retry === undefined ? RETRY_MS : retry.pauseMs * 2,
      );
      this.#retries.set(key, { at: clock.monotonic() + pauseMs, pauseMs });
      for (const { task } of targets) this.#failing(task, error.message);
    }
  }

  /** @returns False if it has to be brought up again. */
  async #isTended(
    carrier: Carrier,
    targets: readonly TunnelTarget[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { state } = carrier;
    const tasks = targets.map(({ task }) => task);
    if (state.kind === "stopped") {
      for (const task of tasks) {
        const record = this.#notes.find(task);
        if (record === null) continue;
        if (record.standing) this.#notes.change(task, { isPaused: true });
        else this.#notes.remove(task);
        await this.shut(record, "process_stopped", signal);
      }
      return true;
    }
    if (state.kind === "failing") {
      const isTold = (task: string) =>
        this.#live.get(task)?.state === "failing";
      if (tasks.every(isTold)) return true;
      const reason = await carrier.explain(state.reason);
      for (const task of tasks) this.#failing(task, reason);
      return true;
    }
    return tasks.every((task) => {
      const live = this.#live.get(task);
      return live?.state === "open" && live.runId === state.runId;
    });
  }

  #emit(
    event: EventType,
    { task, backend }: TunnelRecord,
    publicUrl: string | null,
    data: Readonly<Record<string, string | number>>,
  ): void {
    const { host, projectId } = this.#project;
    host.emit({
      event,
      session: projectId,
      task,
      at: host.clock.now(),
      data: { backend, public_url: publicUrl, ...data },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { entrance } of this.#live.values()) {
      await entrance[Symbol.asyncDispose]();
    }
    this.#live.clear();
  }
}

/** Backends of which one program carries all tasks of a project. */
const SHARED: ReadonlySet<TunnelBackend> = new Set(["cloudflare"]);

/** What goes through the same program has the same key. */
export function carrierKey(
  { backend, task }: Pick<TunnelRecord, "backend" | "task">,
): string {
  return SHARED.has(backend) ? backend : `${backend} ${task}`;
}
