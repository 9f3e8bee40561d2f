/**
 * Opening a tunnel by hand: its turn, its preflight, and what is left if it fails, which is nothing.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { TunnelBackend, TunnelReach } from "../../domain/tunnel.ts";
import type { TaskScope } from "../../kit/task_scope.ts";
import type { AccessRecord } from "../../proxy/public_access.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import { failedChecks } from "./failed_checks.ts";
import { carrierKey } from "./carrier_key.ts";
import type { OpenTunnels } from "./open_tunnels.ts";
import type { TunnelNotes, TunnelRecord } from "./tunnel_notes.ts";
import { tellTunnel } from "./tunnel_news.ts";
import type { TunnelWorld } from "./tunnel_world.ts";
import { Interruption, type Turns } from "./turns.ts";

/** A tunnel that is wanted. */
export interface TunnelWish {
  readonly task: string;
  readonly backend: TunnelBackend;
  readonly hostname: string | null;
  readonly reach: TunnelReach;
  /** Name of the caller's environment. */
  readonly environment: string | null;
}

/** A tunnel that is to stand. */
export interface StandingWish extends TunnelWish {
  readonly access: AccessRecord;
  /** Wall milliseconds. */
  readonly expiresAt: number | null;
}

/** How a tunnel is to be opened. */
export interface UpRequest extends TunnelWish {
  /** Who is to be let in, from who is let in so far; null = there is no tunnel yet. The last answer counts. */
  admit(before: AccessRecord | null): Promise<AccessRecord>;
  /** Milliseconds from now; null = it has no end, undefined = the end it has. */
  readonly expiresInMs: number | null | undefined;
  readonly timeoutMs: number;
}

/** One call that opens a tunnel, however often it has to begin anew. */
interface Attempt {
  isBegun: boolean;
  before: TunnelRecord | null;
  /** Whether it was open before: then it stays so, whatever comes of this. */
  isKept: boolean;
  /** What counts once every check has passed; null = it does already. */
  later: Admitted | null;
}

/** Who is let in, until when, and with whose environment. */
type Admitted = Pick<TunnelRecord, "access" | "expiresAt" | "environment">;

/** What an opener works with. */
export interface TunnelOpenerOptions {
  readonly project: ProjectSupervisor;
  readonly notes: TunnelNotes;
  readonly world: TunnelWorld;
  readonly open: OpenTunnels;
  readonly turns: Turns;
  readonly scope: Pick<TaskScope, "signal">;
}

/** See the module. */
export class TunnelOpener {
  readonly #project: ProjectSupervisor;
  readonly #notes: TunnelNotes;
  readonly #world: TunnelWorld;
  readonly #open: OpenTunnels;
  readonly #turns: Turns;
  readonly #scope: Pick<TaskScope, "signal">;

  constructor(options: TunnelOpenerOptions) {
    this.#project = options.project;
    this.#notes = options.notes;
    this.#world = options.world;
    this.#open = options.open;
    this.#turns = options.turns;
    this.#scope = options.scope;
  }

  /**
   * Opens a tunnel, or changes an open one. Nothing is public before every check has passed. What fails leaves nothing.
   *
   * @throws {TaskmuxError} E740 with the checks that failed, E741 if the provider does not do it, E742 if somebody has
   * the name.
   */
  async up(
    request: UpRequest,
    signal: AbortSignal,
  ): Promise<"opened" | "changed" | "noop"> {
    const attempt: Attempt = {
      later: null,
      isBegun: false,
      before: null,
      isKept: false,
    };
    return await this.#turns.take(
      carrierKey(request),
      signal,
      (turn) => this.#upInTurn(request, attempt, turn),
    );
  }

  /**
   * Looks whether one can be opened in place of another, which stays open meanwhile. Changes nothing.
   *
   * @throws {TaskmuxError} E740 with the checks that failed.
   */
  async foresee(
    { task, backend, hostname, reach, environment }: TunnelWish,
    signal: AbortSignal,
  ): Promise<void> {
    const port = this.#open.live.get(task)?.entrance.port ??
      this.#notes.find(task)?.port ?? null;
    if (port === null) return;
    const provider = await this.#world.provider(backend);
    const context = await this.#open.context(backend, environment);
    const origin = `http://127.0.0.1:${port}`;
    const target = { task, origin, hostname, reach };
    const checks = await provider.check([target], context, signal);
    const failed = failedChecks(checks);
    if (failed !== null) throw failed;
  }

  async #upInTurn(
    request: UpRequest,
    attempt: Attempt,
    turn: AbortSignal,
  ): Promise<"opened" | "changed" | "noop"> {
    const { task } = request;
    if (!attempt.isBegun) {
      // Asked anew by whoever was interrupted: a link may have been used meanwhile.
      const access = await request.admit(
        this.#notes.find(task)?.access ?? null,
      );
      turn.throwIfAborted();
      const action = await this.#begin(request, attempt, access);
      if (action !== "opened") return action;
    }
    try {
      await this.#openUp(request, attempt, turn);
      this.#admitMore(task, attempt);
      return attempt.isKept ? "changed" : "opened";
    } catch (error) {
      // Begun anew behind who interrupted.
      if (turn.reason instanceof Interruption) throw error;
      if (!attempt.isKept) await this.#giveUp(task, attempt);
      throw error;
    }
  }

  /** Writes down what is wanted. */
  async #begin(
    request: UpRequest,
    attempt: Attempt,
    access: AccessRecord,
  ): Promise<"opened" | "changed" | "noop"> {
    this.requireFree(request);
    const { task, backend, hostname, reach, expiresInMs } = request;
    const { clock, keeper } = this.#project.host;
    const before = this.#notes.find(task);
    const live = this.#open.live.get(task);
    const isSameName = before?.backend === backend &&
      before.hostname === hostname;
    const isKept = isSameName && live !== undefined && before.reach === reach &&
      before.openedAt !== null;
    const last = before?.expiresAt ?? null;
    const expiresAt = expiresInMs === undefined
      // An end that is over is not its end any more.
      ? last !== null && last > clock.now() ? last : null
      : expiresInMs === null
      ? null
      : clock.now() + expiresInMs;
    const closing = before === null || isKept
      ? null
      : this.#open.closeGate(before, "down");
    const environment = request.environment ?? before?.environment ?? null;
    const wanted = { access, expiresAt, environment };
    // What fails must not have let in more than before.
    const isNow = !isKept || live.state === "open";
    const admitted = isNow ? wanted : narrowerOf(before, wanted);
    this.#notes.set({
      task,
      backend,
      hostname,
      reach,
      ...admitted,
      standing: isSameName && before.standing,
      isPaused: false,
      openedAt: isKept ? before.openedAt : null,
      publicUrl: isKept ? before.publicUrl : null,
      port: before?.port ?? null,
      process: before?.process ?? null,
      bootId: keeper.bootId,
    });
    const later = isNow ? null : wanted;
    Object.assign(attempt, { isBegun: true, before, isKept, later });
    if (before?.access !== admitted.access) {
      live?.entrance.control.replace(admitted.access);
    }
    if (isKept && before.access.kind !== admitted.access.kind) {
      this.#tellAccess(task);
    }
    await closing;
    if (!isKept || live.state !== "open") return "opened";
    return before.expiresAt === expiresAt && before.access === access
      ? "noop"
      : "changed";
  }

  /** Lets in whoever had to wait for the checks. */
  #admitMore(task: string, { later }: Attempt): void {
    const record = this.#notes.find(task);
    if (later === null || record === null) return;
    // A link may have been used meanwhile: of one kind, what is known now counts.
    const { expiresAt, environment } = later;
    const access = later.access.kind === record.access.kind
      ? record.access
      : later.access;
    this.#notes.change(task, { access, expiresAt, environment });
    if (access !== record.access) {
      this.#open.live.get(task)?.entrance.control.replace(access);
    }
    if (access.kind !== record.access.kind) this.#tellAccess(task);
  }

  /** Who is let in from now on to what was open already. Where nobody gets through that is no news. */
  #tellAccess(task: string): void {
    const record = this.#notes.find(task);
    const isOpen = this.#open.live.get(task)?.state === "open";
    if (record === null || !isOpen) return;
    tellTunnel(this.#project, record, {
      event: "tunnel_opened",
      url: record.publicUrl,
      access: record.access.kind,
      expiresAt: record.expiresAt,
    });
  }

  async #openUp(
    { task, backend, environment, timeoutMs }: UpRequest,
    { isKept }: Attempt,
    turn: AbortSignal,
  ): Promise<void> {
    const record = this.#requireWanted(task);
    await this.#open.openEntrance(record);
    const key = carrierKey(record);
    if (isKept || this.#open.live.get(task)?.isChecked === false) {
      const provider = await this.#world.provider(backend);
      const targets = this.#open.targetsOf(key, task);
      const context = await this.#open.context(backend, environment);
      const checks = await provider.check(targets, context, turn);
      const failed = failedChecks(checks);
      if (failed !== null) throw failed;
      this.#open.admit(task);
    }
    await this.#open.bring(key, { environment, timeoutMs }, turn);
    this.#requireWanted(task);
  }

  /** @throws {TaskmuxError} E741 if somebody has closed it meanwhile. */
  #requireWanted(task: string): TunnelRecord {
    const record = this.#notes.find(task);
    if (record !== null && !record.isPaused) return record;
    throw new TaskmuxError(
      "E741",
      `Cannot open the tunnel of "${task}": it was closed again`,
      { hint: `taskmux tunnel up ${task}`, details: { task } },
    );
  }

  /** What could not be opened leaves nothing behind; a standing one goes on standing. */
  async #giveUp(task: string, { before }: Attempt): Promise<void> {
    const record = this.#notes.find(task);
    // Who closed it meanwhile has seen to that.
    if (record === null || record.isPaused) return;
    try {
      if (before?.standing && record.standing) {
        this.#notes.set({ ...before, isPaused: true, openedAt: null });
      } else this.#notes.remove(task);
    } finally {
      await this.#open.closeGate(record, "failed");
      await this.#open.release(carrierKey(record), this.#scope.signal);
    }
  }

  /**
   * Refuses a public name that another task has.
   *
   * @throws {TaskmuxError} E742 that names it.
   */
  requireFree(
    { hostname, task }: {
      readonly hostname: string | null;
      readonly task: string;
    },
  ): void {
    const holder = hostname === null ? null : this.#world.holderOf(hostname);
    const { projectId } = this.#project;
    const isOther = holder !== null &&
      (holder.session !== projectId || holder.task !== task);
    if (!isOther) return;
    throw new TaskmuxError(
      "E742",
      `Cannot use the public name ${hostname}: task "${holder.task}" of project "${holder.session}" has it`,
      {
        hint: `taskmux tunnel down ${holder.task}, in that project`,
        details: { hostname, ...holder },
      },
    );
  }
}

/** Of both the one that lets in fewer, for less time. */
function narrowerOf(before: Admitted, wanted: Admitted): Admitted {
  const isWider = wanted.access.kind === "open" &&
    before.access.kind !== "open";
  const isLater = before.expiresAt !== null &&
    (wanted.expiresAt === null || wanted.expiresAt > before.expiresAt);
  return {
    access: isWider ? before.access : wanted.access,
    expiresAt: isLater ? before.expiresAt : wanted.expiresAt,
    environment: before.environment,
  };
}
