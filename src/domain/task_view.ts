/**
 * A task as users see it: one shape for `status`, `inspect`, WebSocket and MCP, with or without a daemon.
 *
 * @module
 */

import type { Dependency, RestartPolicy, TaskSpec } from "./task_spec.ts";
import type { TunnelView } from "./tunnel.ts";
import {
  type DisplayState,
  type Exit,
  exitNumber,
  type ProbeResult,
  type RunInfo,
} from "./task_state.ts";

/** A dependency that a waiting task waits for. */
export interface WaitingFor extends Dependency {
  readonly state: DisplayState;
}

/** What a supervisor knows about one task at one moment. */
export interface TaskSnapshot {
  readonly state: DisplayState;
  readonly run: RunInfo | null;
  readonly healthy: boolean;
  /** The last probe of this run; null before the first and when stopped. */
  readonly lastHealth: ProbeResult | null;
  readonly lastExit: Exit | null;
  /** Automatic restarts in the present series. */
  readonly restartCount: number;
  readonly manual: boolean;
  /** Why the state is what it is, as one sentence for people. */
  readonly reason: string | null;
  readonly waitingFor: readonly WaitingFor[];
  readonly restartInMs: number | null;
  readonly configChanged: boolean;
}

/** What else goes into the view. */
export interface TaskViewFacts {
  readonly url: string | null;
  /** The leased port while the task is down. */
  readonly port: number | null;
  readonly eventCounts: Readonly<Record<string, number>>;
  /** Null = it has none, and the file names none. */
  readonly tunnel: TunnelView | null;
}

/** The shape `T` of the user's contract. Keys are the wire's. */
export interface TaskView {
  readonly name: string;
  readonly running: boolean;
  readonly healthy: boolean;
  readonly state: DisplayState;
  readonly command: string;
  readonly auto_start: boolean;
  readonly start_on_request: boolean;
  readonly pid: number | null;
  readonly port: number | null;
  readonly host: string | null;
  readonly url: string | null;
  readonly public_url: string | null;
  readonly tunnel: TunnelView | null;
  readonly restart_policy: RestartPolicy;
  readonly restart_count: number;
  readonly cwd: string;
  readonly depends_on: string[];
  readonly started_at: number | null;
  readonly exit_code: number | null;
  readonly last_health: {
    readonly ok: boolean;
    readonly method: string;
    readonly reason: string | null;
    readonly at: number;
  } | null;
  readonly events: Record<string, number>;
  readonly reason: string | null;
  readonly waiting_for: {
    readonly task: string;
    readonly condition: string;
    readonly state: DisplayState;
  }[];
  readonly manual: boolean;
  readonly config_changed: boolean;
  readonly restart_in: number | null;
  /** Only of what is no task of the user's. */
  readonly role?: "tunnel";
}

/** A task that nothing supervises. */
export const STOPPED_SNAPSHOT: TaskSnapshot = {
  state: "stopped",
  run: null,
  healthy: false,
  lastHealth: null,
  lastExit: null,
  restartCount: 0,
  manual: false,
  reason: null,
  waitingFor: [],
  restartInMs: null,
  configChanged: false,
};

/** Puts a task's spec and its present state into the shape users see. */
export function viewTask(
  spec: TaskSpec,
  snapshot: TaskSnapshot,
  facts: TaskViewFacts,
): TaskView {
  const { run, lastHealth } = snapshot;
  return {
    name: spec.name,
    running: run !== null,
    healthy: snapshot.healthy,
    state: snapshot.state,
    command: spec.command,
    auto_start: spec.autoStart,
    start_on_request: spec.startOnRequest ?? false,
    pid: run?.pid ?? null,
    port: run === null ? facts.port : run.port,
    host: spec.host,
    url: facts.url,
    // An address that leads nowhere is none.
    public_url: facts.tunnel?.public ? facts.tunnel.public_url : null,
    tunnel: facts.tunnel,
    restart_policy: spec.restart.policy,
    restart_count: snapshot.restartCount,
    cwd: spec.cwd,
    depends_on: spec.dependsOn.map((dependency) => dependency.task),
    started_at: run === null ? null : run.startedAt / 1000,
    exit_code: run !== null || snapshot.lastExit === null
      ? null
      : exitNumber(snapshot.lastExit),
    last_health: lastHealth === null ? null : {
      ok: lastHealth.ok,
      method: lastHealth.method,
      reason: lastHealth.reason,
      at: lastHealth.at / 1000,
    },
    events: { ...facts.eventCounts },
    reason: snapshot.reason,
    waiting_for: snapshot.waitingFor.map(({ task, condition, state }) => ({
      task,
      condition,
      state,
    })),
    manual: snapshot.manual,
    config_changed: snapshot.configChanged,
    restart_in: snapshot.restartInMs === null
      ? null
      : Math.ceil(snapshot.restartInMs / 1000),
    ...spec.role === undefined ? {} : { role: spec.role },
  };
}

/** A task in the answer of `health`. */
export type HealthView = {
  readonly name: string;
  /** Null = it has done its work, and is neither. */
  readonly healthy: boolean | null;
  readonly method: string;
  readonly reason: string | null;
};

/** A completed task in the answer of `health`. */
export function viewDone(name: string): HealthView {
  return { name, healthy: null, method: "none", reason: "completed" };
}

/** The answer of `health`; what has done its work does not count. */
export function viewHealth(tasks: readonly HealthView[]): {
  readonly ok: true;
  readonly healthy_count: number;
  readonly total_count: number;
  readonly completed_count: number;
  readonly tasks: HealthView[];
} {
  const completed = tasks.filter((task) => task.healthy === null).length;
  return {
    ok: true,
    healthy_count: tasks.filter((task) => task.healthy === true).length,
    total_count: tasks.length - completed,
    completed_count: completed,
    tasks: [...tasks],
  };
}

/** The extra keys of `inspect`, beside those of {@linkcode TaskView}. */
export interface TaskDetail {
  readonly env: Record<string, string>;
  readonly env_files: string[];
  readonly hooks: Record<string, string>;
  readonly health: {
    readonly url: string | null;
    readonly check: string | null;
    readonly ready_log: string | null;
    readonly expected_status: number;
    readonly expected_body: string | null;
    readonly interval: number;
    readonly timeout: number;
    readonly retries: number;
    readonly boot_grace: number;
  };
  readonly max_restarts: number;
  readonly restart_backoff: number;
  readonly success_exit_codes: number[];
  readonly stop_signal: string;
  readonly stop_grace_period: number;
  readonly pids_limit: number;
  readonly watch: string[];
  readonly dependencies: Record<string, string>;
}

/** The settings of a task for `inspect`, durations in seconds. */
export function detailTask(spec: TaskSpec): TaskDetail {
  const { health, restart } = spec;
  return {
    env: Object.fromEntries(spec.env),
    env_files: [...spec.envFiles],
    hooks: { ...spec.hooks } as Record<string, string>,
    health: {
      url: health.url,
      check: health.check,
      ready_log: health.readyLog,
      expected_status: health.expectedStatus,
      expected_body: health.expectedBody,
      interval: health.intervalMs / 1000,
      timeout: health.timeoutMs / 1000,
      retries: health.retries,
      boot_grace: health.bootGraceMs / 1000,
    },
    max_restarts: restart.maxRestarts,
    restart_backoff: restart.backoff,
    success_exit_codes: [...restart.successExitCodes],
    stop_signal: spec.stopSignal,
    stop_grace_period: spec.stopGraceMs / 1000,
    pids_limit: spec.pidsLimit,
    watch: [...spec.watch],
    dependencies: Object.fromEntries(
      spec.dependsOn.map(({ task, condition }) => [task, condition]),
    ),
  };
}
