/**
 * Tells the proxy where a name leads: to the task of a project that has it, as that task is now.
 *
 * A task with exactly that host is the only one asked, also when it is down; then come aliases, then the task with `*`.
 * A request for a task on its way up is held; nothing is sent to a listener that is not the task's own.
 *
 * @module
 */

import { APEX, CATCH_ALL, type HostName } from "../domain/host_name.ts";
import type { RunInfo } from "../domain/task_state.ts";
import type { ProjectSpec } from "../domain/task_spec.ts";
import type { Clock } from "../kit/clock.ts";
import type { TaskScope } from "../kit/task_scope.ts";
import type {
  FindOptions,
  Refusal,
  Route,
  Router,
  Upstream,
} from "../proxy/router.ts";
import {
  type Holders,
  ListenerProofs,
  type Proof,
  type RunPort,
} from "./listener_proofs.ts";
import { untilPortAnswers } from "./port_answer.ts";
import type { Project } from "./project.ts";
import {
  brokenProject,
  couldNotStart,
  explainedRefusal,
  heldByStranger,
  inFolderOf,
  notForForeign,
  refusal,
  type TaskRoute,
  tooManyWait,
  unknownHost,
  unknownProject,
  withoutPort,
} from "./route_refusals.ts";
import { HOLD_MS, WaitingRoom } from "./waiting_room.ts";
import {
  type VisitStart,
  VisitStarts,
  waitsForRequest,
} from "./visit_starts.ts";

/** How often a task is looked at that says nothing by itself. */
const LOOK_MS = 500;

/** How long a run that listened once may be without its listener, as while a server reloads itself. */
const RELISTEN_MS = 2_000;

/** A restart that is later than this is not waited for. */
const MAX_BACKOFF_MS = HOLD_MS / 2;

/** A port that is no task's, under a host of a project. */
export interface AliasRoute {
  readonly name: string;
  readonly port: number;
}

/** What a router is given. */
export interface ProjectRouterOptions {
  readonly tld: string;
  readonly clock: Clock;
  /** A managed project, or null. */
  project(id: string): Project | null;
  /** Where starts go on when the request that asked for them is gone. */
  readonly scope: Pick<TaskScope, "run">;
  /** @throws {TaskmuxError} If the keeper does not answer. */
  holders(of: RunPort): Promise<Holders>;
  /** The alias that has a host; null = none. No proof is asked of its port: it is foreign by definition. */
  readonly alias?: (projectId: string, host: string) => AliasRoute | null;
}

/** Where a name leads, before anybody looks whether somebody is there. */
type Destination =
  | ({ readonly kind: "task" } & TaskRoute)
  | Route;

/** A request that waits for a task. */
interface Visit extends TaskRoute {
  /** Whether it is a stranger's. */
  readonly isForeign: boolean;
}

/** A look at a task: an answer, or a reason to look again. */
type Look = Route | Hold;

/** Not yet. */
interface Hold {
  readonly kind: "hold";
  /** Where nobody listens yet. */
  readonly port?: number;
  /** For how long that is no failure; absent = for as long as the request may wait. */
  readonly limitMs?: number;
}

const HOLD: Hold = { kind: "hold" };

/** See the module. */
export class ProjectRouter implements Router {
  readonly tld: string;
  readonly #options: ProjectRouterOptions;
  readonly #proofs: ListenerProofs;
  readonly #rooms: WaitingRoom<Route>;
  /** Strangers wait by themselves: they start nothing, and take nobody's place. */
  readonly #foreignRooms: WaitingRoom<Route>;
  readonly #visits: VisitStarts;
  /** Task by host, for each file as it is read. */
  readonly #hosts = new WeakMap<ProjectSpec, ReadonlyMap<string, string>>();
  readonly #upstreams = new WeakMap<Proof, Upstream>();

  constructor(options: ProjectRouterOptions) {
    this.tld = options.tld;
    this.#options = options;
    this.#proofs = new ListenerProofs(options);
    this.#rooms = new WaitingRoom(options.clock);
    this.#foreignRooms = new WaitingRoom(options.clock);
    this.#visits = new VisitStarts(options.scope);
  }

  knows(projectId: string): boolean {
    return this.#options.project(projectId) !== null;
  }

  find(
    name: HostName,
    client: { readonly signal: AbortSignal },
    { isForeign = false }: FindOptions = {},
  ): Promise<Route> {
    const destination = this.#destinationOf(name);
    if (destination.kind !== "task") return Promise.resolve(destination);
    if (isForeign && waitsForRequest(destination.runner)) {
      return Promise.resolve(notForForeign(destination));
    }
    const known = this.#recall(destination);
    return known === null
      ? this.#arrive({ ...destination, isForeign }, client.signal)
      : Promise.resolve(known);
  }

  /** Where the requests of strangers to a task go, whatever its host. They start nothing. */
  findTask(
    { projectId, task }: { readonly projectId: string; readonly task: string },
    client: { readonly signal: AbortSignal },
  ): Promise<Route> {
    const project = this.#options.project(projectId);
    const supervisor = project?.supervisor ?? null;
    const runner = supervisor?.own(task) ?? null;
    if (project === null || supervisor === null || runner === null) {
      return Promise.resolve(unknownProject({ projectId, host: task }));
    }
    const route = { kind: "task", project, supervisor, runner } as const;
    if (waitsForRequest(runner)) return Promise.resolve(notForForeign(route));
    const known = this.#recall(route);
    return known === null
      ? this.#arrive({ ...route, isForeign: true }, client.signal)
      : Promise.resolve(known);
  }

  failed(upstream: Upstream, error: Error): Refusal {
    const { key, name, port, projectId } = upstream;
    const project = this.#options.project(projectId);
    const isOfRun = key.startsWith(RUN_KEY);
    const runner = isOfRun ? project?.supervisor?.find(name) ?? null : null;
    if (isOfRun) this.#proofs.doubt(key.slice(RUN_KEY.length));
    const isAbsent = isConnectError(error);
    const who = isOfRun ? `Task "${name}"` : `Alias "${name}"`;
    const command = isOfRun ? `restart ${name}` : `who ${port}`;
    return refusal({
      status: isAbsent ? 503 : 502,
      code: isAbsent ? "upstream_dead" : "upstream_failed",
      message: isAbsent
        ? `${who} does not answer on port ${port}: ${describe(error)}`
        : `${who} broke off the answer on port ${port}: ${describe(error)}`,
      projectId,
      task: name,
      state: runner?.snapshot().state ?? null,
      hint: project === null ? null : inFolderOf(project, command),
      isTransient: isAbsent,
    });
  }

  #destinationOf(name: HostName): Destination {
    const { projectId, host } = name;
    const project = this.#options.project(projectId);
    if (project === null) return unknownProject(name);
    const { supervisor } = project;
    if (supervisor === null) return brokenProject(project);
    const hosts = this.#hostsOf(supervisor.spec);
    const exact = hosts.get(host);
    const task = exact ?? this.#aliasOf(name) ??
      (host === APEX ? undefined : hosts.get(CATCH_ALL));
    if (typeof task === "object") return task;
    const runner = task === undefined ? null : supervisor.find(task);
    return runner === null
      ? unknownHost(project, supervisor, name)
      : { kind: "task", project, supervisor, runner };
  }

  #hostsOf(spec: ProjectSpec): ReadonlyMap<string, string> {
    const known = this.#hosts.get(spec);
    if (known !== undefined) return known;
    const hosts = new Map<string, string>();
    for (const { host, name } of spec.tasks.values()) {
      if (host !== null) hosts.set(host, name);
    }
    this.#hosts.set(spec, hosts);
    return hosts;
  }

  #aliasOf({ projectId, host }: HostName): Upstream | undefined {
    const alias = this.#options.alias?.(projectId, host) ?? null;
    if (alias === null) return undefined;
    const { name, port } = alias;
    return {
      kind: "upstream",
      port,
      addresses: ["127.0.0.1", "::1"],
      projectId,
      name,
      key: `alias:${projectId}:${name}:${port}`,
    };
  }

  /** The listener that is proven already. */
  #recall({ supervisor, runner }: TaskRoute): Upstream | null {
    const { phase } = runner.machine;
    if (phase.status !== "running" || phase.run.port === null) return null;
    const { runId, port } = phase.run;
    const proof = this.#proofs.recall({ runId, port });
    return proof === null
      ? null
      : this.#upstreamOf(proof, { supervisor, runner }, { runId, port });
  }

  async #arrive(route: Visit, signal: AbortSignal): Promise<Route> {
    const rooms = route.isForeign ? this.#foreignRooms : this.#rooms;
    const waited = await rooms.wait(
      route.runner,
      (watching) => this.#watch(route, watching),
      signal,
    );
    switch (waited.kind) {
      case "answer":
        return waited.answer;
      case "full":
        return tooManyWait(route);
      case "late":
        return await explainedRefusal(
          route,
          { code: "starting", isTransient: true },
          signal,
        );
    }
  }

  /** Looks at a task until there is something to answer. */
  async #watch(route: Visit, signal: AbortSignal): Promise<Route> {
    const { clock } = this.#options;
    const { runner } = route;
    const since = clock.monotonic();
    const restartsBefore = runner.machine.restarts;
    let visit: VisitStart | null = null;
    while (true) {
      if (visit === null && waitsForRequest(runner) && this.#isThere(route)) {
        // It came to rest while they waited.
        if (route.isForeign) return notForForeign(route);
        visit = this.#visits.begin(route.supervisor, runner);
      }
      const mood = moodOf(runner);
      const isCrashing = runner.machine.restarts - restartsBefore > 1;
      const look = this.#isThere(route)
        ? await this.#look(route, { isCrashing, visit, signal })
        : this.#gone(route);
      if (look.kind !== "hold") return look;
      const limitMs = look.limitMs ?? Infinity;
      if (clock.monotonic() - since >= limitMs) {
        return await this.#dead(route, signal);
      }
      await this.#change(route, { mood, hold: look, signal });
    }
  }

  /** Whether the task is still the one of its project. */
  #isThere({ project, supervisor, runner }: TaskRoute): boolean {
    return this.#options.project(project.id)?.supervisor === supervisor &&
      supervisor.find(runner.name) === runner;
  }

  #gone({ supervisor, runner }: TaskRoute): Refusal {
    return refusal({
      code: "unknown_name",
      message: `Task "${runner.name}" is not there any more`,
      projectId: supervisor.projectId,
      hint: "taskmux status",
      isTransient: true,
    });
  }

  /** Resolves when the task changed, or might have begun to listen. */
  async #change(
    { supervisor, runner }: TaskRoute,
    { mood, hold, signal }: {
      readonly mood: string;
      readonly hold: Hold;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { clock } = this.#options;
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const { port, limitMs } = hold;
    const waits: Promise<unknown>[] = [
      supervisor.until(
        () => moodOf(runner) === mood ? undefined : true,
        both,
      ),
    ];
    if (port === undefined || limitMs !== undefined) {
      waits.push(clock.sleep(LOOK_MS, both));
    }
    if (port !== undefined) {
      waits.push(untilPortAnswers(port, { clock, signal: both }));
    }
    try {
      await Promise.race(waits);
    } finally {
      over.abort();
      await Promise.allSettled(waits);
    }
  }

  async #look(
    route: TaskRoute,
    { isCrashing, visit, signal }: {
      readonly isCrashing: boolean;
      readonly visit: VisitStart | null;
      readonly signal: AbortSignal;
    },
  ): Promise<Look> {
    const { runner } = route;
    const { phase, manual } = runner.machine;
    const refuse = (code: string, isTransient = false): Promise<Refusal> =>
      explainedRefusal(route, { code, isTransient }, signal);
    switch (phase.status) {
      case "running":
        return await this.#listener(route, phase.run, signal);
      case "waiting":
      case "preparing":
      case "spawning":
        return HOLD;
      case "stopping":
        return phase.restartAfterMs === null
          ? await refuse("not_running")
          : HOLD;
      case "backoff": {
        const inMs = runner.snapshot().restartInMs ?? 0;
        return isCrashing || inMs > MAX_BACKOFF_MS
          ? await refuse("failed", true)
          : HOLD;
      }
      case "failed":
        return await refuse("failed");
      case "stopped":
      case "completed":
        if (visit?.isOver === false) return HOLD;
        if (visit?.error) return couldNotStart(route, visit.error);
        return await refuse(manual ? "stopped_by_hand" : "not_running");
    }
  }

  async #listener(
    route: TaskRoute,
    run: RunInfo,
    signal: AbortSignal,
  ): Promise<Look> {
    const { runner } = route;
    const { runId, port } = run;
    if (port === null) return withoutPort(route);
    const proof = await this.#proofs.look({ runId, port });
    switch (proof.kind) {
      case "ours":
        return this.#upstreamOf(proof, route, { runId, port });
      case "stranger":
        return heldByStranger(route, { port, holder: proof.holder });
      case "silent":
        return HOLD;
      case "nobody":
        if (runner.snapshot().state === "unhealthy") {
          return await this.#dead(route, signal);
        }
        return this.#proofs.hasListened(runId)
          ? { kind: "hold", port, limitMs: RELISTEN_MS }
          : { kind: "hold", port };
    }
  }

  /** The run is there, its listener is not. */
  #dead(route: TaskRoute, signal: AbortSignal): Promise<Refusal> {
    return explainedRefusal(
      route,
      { code: "upstream_dead", isTransient: true },
      signal,
    );
  }

  /** The same object as long as the proof is the same. */
  #upstreamOf(
    proof: Proof,
    { supervisor, runner }: Pick<TaskRoute, "supervisor" | "runner">,
    { runId, port }: RunPort,
  ): Upstream {
    const known = this.#upstreams.get(proof);
    if (known !== undefined) return known;
    const upstream: Upstream = {
      kind: "upstream",
      port,
      addresses: proof.kind === "ours" ? proof.addresses : [],
      projectId: supervisor.projectId,
      name: runner.name,
      key: RUN_KEY + runId,
    };
    this.#upstreams.set(proof, upstream);
    return upstream;
  }
}

/** Differs when there is reason to look again; a probe that fails once more is none. */
function moodOf(runner: TaskRoute["runner"]): string {
  const { phase, restarts } = runner.machine;
  const runId = phase.status === "running" ? phase.run.runId : "";
  return `${phase.status} ${restarts} ${runId} ${runner.snapshot().state}`;
}

/** How keys of runs begin, so that they are none of an alias. */
const RUN_KEY = "run:";

/** Errors of a connection that did not come about. */
const CONNECT_ERRORS: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EADDRNOTAVAIL",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "ENOENT",
]);

function isConnectError(error: Error): boolean {
  const isRefused = "code" in error && CONNECT_ERRORS.has(error.code) &&
    (!("syscall" in error) || error.syscall === "connect" ||
      error.code === "ECONNREFUSED");
  return isRefused ||
    (error instanceof AggregateError &&
      error.errors.every((each) =>
        each instanceof Error && isConnectError(each)
      ));
}

function describe(error: Error): string {
  return "code" in error && typeof error.code === "string"
    ? error.code
    : error.message;
}
