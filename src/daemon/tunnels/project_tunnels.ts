/**
 * The tunnels of one project: opened and closed by hand, and following their tasks, their programs and the file.
 *
 * Everything that changes is done one after the other. What is wanted is written down first, so that a daemon that comes
 * after a crash goes on from there.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { TunnelBackend, TunnelReach } from "../../domain/tunnel.ts";
import { Nudge } from "../../kit/nudge.ts";
import { TaskScope } from "../../kit/task_scope.ts";
import type { AccessRecord } from "../../proxy/public_access.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type {
  TunnelCheck,
  TunnelProvider,
  TunnelRelease,
  TunnelTarget,
} from "../../tunnels/tunnel_provider.ts";
import { failedChecks } from "./failed_checks.ts";
import { carrierKey, type LiveTunnel, OpenTunnels } from "./open_tunnels.ts";
import type { TunnelNotes, TunnelRecord } from "./tunnel_notes.ts";
import { removeProcess } from "./tunnel_process.ts";
import { judgeTunnel, type TunnelVerdict } from "./tunnel_verdict.ts";
import type { SettingOverrides, TunnelWorld } from "./tunnel_world.ts";

/** Longest pause between two looks: wall time may jump, and an end is told in it. */
const LOOK_MS = 30_000;

/** How a tunnel is to be opened. */
export interface UpRequest {
  readonly task: string;
  readonly backend: TunnelBackend;
  readonly hostname: string | null;
  readonly reach: TunnelReach;
  readonly access: AccessRecord;
  readonly standing: boolean;
  /** Wall milliseconds; null = it has no end. */
  readonly expiresAt: number | null;
  /** Name of the caller's environment. */
  readonly environment: string | null;
  readonly timeoutMs: number;
}

/** See the module. Disposal closes the gates; programs run on for the next daemon. */
export class ProjectTunnels implements AsyncDisposable {
  readonly project: ProjectSupervisor;
  readonly notes: TunnelNotes;
  readonly #world: TunnelWorld;
  readonly #scope: TaskScope;
  readonly #nudge = new Nudge();
  readonly #open: OpenTunnels;
  /** Why what is closed is closed. */
  readonly #waits = new Map<string, TunnelVerdict & { kind: "wait" }>();
  #turn: Promise<unknown> = Promise.resolve();
  #opening: AbortController | null = null;
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
    this.#scope = new TaskScope((error) =>
      world.onError(error, `tunnels of ${project.projectId}`)
    );
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

  /** From now on tasks go down because the daemon ends. */
  expectEnd(): void {
    this.#isEnding = true;
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
    return await this.#inTurn(async () => {
      this.#requireFree(request);
      const before = this.notes.find(request.task);
      const live = this.live.get(request.task);
      if (
        before !== null && live?.state === "open" && isSame(before, request)
      ) {
        return this.#change(before, request, live);
      }
      if (before !== null) await this.#open.shut(before, "down", signal);
      this.notes.set({
        ...request,
        isPaused: false,
        openedAt: null,
        port: before?.port ?? null,
        process: before?.process ?? null,
        publicUrl: null,
        bootId: this.project.host.keeper.bootId,
      });
      await this.#openFirst(request, before, signal);
      return "opened";
    });
  }

  /**
   * Closes tunnels by hand. One that is being opened is given up.
   *
   * @returns The tasks, and what could not be told to a provider.
   */
  async down(
    tasks: readonly string[],
    because: "down" | "disabled",
    signal: AbortSignal,
  ): Promise<{ readonly closed: string[]; readonly warnings: string[] }> {
    this.#opening?.abort(
      new TaskmuxError("E741", "Cannot open the tunnel: it was closed again"),
    );
    return await this.#inTurn(async () => {
      const records = tasks.flatMap((task) => this.notes.find(task) ?? []);
      const warnings: string[] = [];
      for (const record of records) {
        const keeps = record.standing && because === "down";
        if (keeps) this.notes.change(record.task, { isPaused: true });
        else this.notes.remove(record.task);
        warnings.push(...await this.#open.shut(record, because, signal));
      }
      this.#nudge.nudge();
      return { closed: records.map(({ task }) => task), warnings };
    });
  }

  /** Changes who is let in; what is open stays open. */
  setAccess(task: string, access: AccessRecord): void {
    this.notes.change(task, { access });
    this.live.get(task)?.entrance.control.replace(access);
  }

  /** Has a tunnel stand: it opens whenever its task runs. Nothing is opened before the caller has had everything checked. */
  async stand(
    record: Omit<UpRequest, "timeoutMs" | "standing">,
  ): Promise<void> {
    await this.#inTurn(() => {
      this.#requireFree(record);
      const before = this.notes.find(record.task);
      this.notes.set({
        openedAt: null,
        port: null,
        process: null,
        publicUrl: null,
        ...before,
        ...record,
        standing: true,
        isPaused: false,
        bootId: this.project.host.keeper.bootId,
      });
      return Promise.resolve();
    });
    this.#nudge.nudge();
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
    return await this.#inTurn(async () => {
      const context = await this.#open.context(
        provider.backend,
        options.environment,
      );
      return await provider.close(context, options, signal);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#opening?.abort(new DOMException("The daemon ends", "AbortError"));
    this.#nudge.nudge();
    await this.#scope[Symbol.asyncDispose]();
    await this.#turn;
    await this.#open[Symbol.asyncDispose]();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  #requireFree(
    { hostname, task }: {
      readonly hostname: string | null;
      readonly task: string;
    },
  ): void {
    const holder = hostname === null ? null : this.#world.holderOf(hostname);
    const { projectId } = this.project;
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

  #change(
    before: TunnelRecord,
    request: UpRequest,
    { entrance }: LiveTunnel,
  ): "changed" | "noop" {
    const { access, expiresAt, standing, environment } = request;
    const isNoop = before.expiresAt === expiresAt &&
      before.standing === standing && before.access === access;
    this.notes.change(request.task, {
      access,
      expiresAt,
      standing,
      environment: environment ?? before.environment,
    });
    if (before.access !== access) entrance.control.replace(access);
    this.#nudge.nudge();
    return isNoop ? "noop" : "changed";
  }

  async #openFirst(
    request: UpRequest,
    before: TunnelRecord | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { task, backend, environment, timeoutMs } = request;
    this.#opening = new AbortController();
    const both = AbortSignal.any([signal, this.#opening.signal]);
    try {
      const record = this.notes.find(task)!;
      await this.#open.openEntrance(record);
      const provider = await this.#world.provider(backend);
      const key = carrierKey(record);
      const checks = await this.check(
        provider,
        this.#open.targetsOf(key),
        { environment },
        both,
      );
      const failed = failedChecks(checks);
      if (failed !== null) throw failed;
      await this.#open.bring(key, { environment, timeoutMs }, both);
    } catch (error) {
      await this.#giveUp(request.task, before, signal);
      throw error;
    } finally {
      this.#opening = null;
    }
  }

  /** What could not be opened leaves nothing behind; a standing one goes on standing. */
  async #giveUp(
    task: string,
    before: TunnelRecord | null,
    signal: AbortSignal,
  ): Promise<void> {
    const record = this.notes.find(task);
    if (before?.standing) this.notes.set({ ...before, isPaused: true });
    else this.notes.remove(task);
    if (record !== null) await this.#open.shut(record, "failed", signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    await this.#inTurn(() => this.#sweep(signal));
    while (!signal.aborted) {
      const seen = this.#mood();
      await this.#inTurn(() => this.#settle(signal));
      await this.#news(seen, signal);
    }
  }

  /** Programs of which no record knows were left by a crash. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const known = new Set(this.notes.records.map(({ process }) => process));
    for (const { name, spec } of this.project.ownRunners) {
      if (spec.role !== "tunnel" || known.has(name)) continue;
      await removeProcess(this.project, name, signal);
    }
  }

  /** Resolves when there may be something to do. */
  async #news(seen: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.project.host;
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const changed = this.project.until(
      () => this.#mood() === seen ? undefined : true,
      both,
    );
    const expiries = this.notes.records.flatMap(({ expiresAt }) =>
      expiresAt === null ? [] : [expiresAt - clock.now()]
    );
    const ms = Math.max(
      0,
      Math.min(LOOK_MS, this.#open.retryInMs, ...expiries),
    );
    try {
      await Promise.race([changed, this.#nudge.wait(ms)]);
    } finally {
      over.abort();
      await Promise.allSettled([changed]);
    }
  }

  /** Differs when there is reason to look again. */
  #mood(): string {
    return this.notes.records.map(({ task, process }) => {
      const runner = this.project.own(task);
      const program = process === null ? null : this.project.own(process);
      const { tunnel, publicHostname } = this.project.spec.tasks.get(task) ??
        {};
      const { state, run, lastHealth } = program?.snapshot() ?? {};
      return [
        runner?.machine.phase.status,
        tunnel,
        publicHostname,
        state,
        run?.runId,
        lastHealth?.ok,
      ].join(" ");
    }).join("\n");
  }

  /** Brings everything to where it should be. */
  async #settle(signal: AbortSignal): Promise<void> {
    if (this.#scope.signal.aborted) return;
    for (const record of this.notes.records) {
      await this.#judge(record, signal);
    }
    const keys = new Set(
      this.notes.records.filter(({ task }) => this.live.has(task))
        .map(carrierKey),
    );
    for (const key of keys) await this.#open.tend(key, signal);
  }

  async #judge(record: TunnelRecord, signal: AbortSignal): Promise<void> {
    const { project } = this;
    const { task } = record;
    const verdict = judgeTunnel({
      record,
      runner: project.own(task),
      inFile: project.spec.tasks.get(task),
      now: project.host.clock.now(),
      bootId: project.host.keeper.bootId,
      isEnding: this.#isEnding,
    });
    if (verdict.kind === "open") {
      this.#waits.delete(task);
      await this.#open.openEntrance(record);
      return;
    }
    if (verdict.kind === "wait") this.#waits.set(task, verdict);
    else this.notes.remove(task);
    if (verdict.kind === "drop" || this.live.has(task)) {
      await this.#open.shut(record, verdict.because, signal);
    }
  }
}

/** Whether an open tunnel is what is asked for, but for who is let in and how long. */
function isSame(record: TunnelRecord, request: UpRequest): boolean {
  return record.backend === request.backend &&
    record.hostname === request.hostname && record.reach === request.reach;
}
