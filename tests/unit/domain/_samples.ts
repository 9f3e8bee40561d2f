/**
 * Sample data for the tests of the domain, each with one knob to turn.
 *
 * @module
 */

import type { ErrorCode } from "../../../src/domain/error_codes.ts";
import type { ErrorShape } from "../../../src/domain/error.ts";
import type { Input } from "../../../src/domain/task_input.ts";
import type {
  HealthSpec,
  RestartSpec,
  TaskSpec,
} from "../../../src/domain/task_spec.ts";
import type {
  Exit,
  ProbeResult,
  RunInfo,
} from "../../../src/domain/task_state.ts";

type WithoutNow<T> = T extends unknown ? Omit<T, "now"> : never;

/** An input that has not been given its time yet. */
export type InputData = WithoutNow<Input>;

/** The defaults of the health settings. */
export function healthSpec(knobs: Partial<HealthSpec> = {}): HealthSpec {
  return {
    url: null,
    expectedStatus: 200,
    expectedBody: null,
    check: null,
    readyLog: null,
    intervalMs: 10_000,
    timeoutMs: 5_000,
    retries: 3,
    bootGraceMs: 10_000,
    ...knobs,
  };
}

/** The defaults of the restart settings. */
export function restartSpec(knobs: Partial<RestartSpec> = {}): RestartSpec {
  return {
    policy: "on-failure",
    maxRestarts: 5,
    backoff: 2,
    successExitCodes: [0],
    ...knobs,
  };
}

/** A task whose every setting is the default. */
export function taskSpec(knobs: Partial<TaskSpec> = {}): TaskSpec {
  return {
    name: "web",
    command: "serve",
    shell: null,
    cwd: "/project",
    envFiles: [],
    env: [],
    autoStart: true,
    host: null,
    hostPath: "/",
    port: null,
    wantsPort: false,
    dependsOn: [],
    health: healthSpec(),
    restart: restartSpec(),
    stopSignal: "SIGINT",
    stopGraceMs: 5_000,
    pidsLimit: 8192,
    watch: [],
    watchIgnore: [],
    log: { file: null, maxBytes: 10_000_000, maxFiles: 3 },
    tunnel: null,
    publicHostname: null,
    hooks: {},
    scope: "project",
    digest: "digest",
    ...knobs,
  };
}

/** A run by its id. */
export function runInfo(runId: string, knobs: Partial<RunInfo> = {}): RunInfo {
  return {
    runId,
    pid: 4711,
    startTime: "12345",
    startedAt: 1_700_000_000_000,
    port: null,
    ...knobs,
  };
}

/** An exit by status or signal name. */
export function exitOf(how: number | string): Exit {
  return typeof how === "number"
    ? { code: how, signal: null, at: 1_700_000_060_000 }
    : { code: null, signal: how, at: 1_700_000_060_000 };
}

/** A probe that succeeded, or failed for a reason. */
export function probeResult(reason: string | null = null): ProbeResult {
  return {
    ok: reason === null,
    method: "http",
    reason,
    at: 1_700_000_030_000,
  };
}

/** An error by its code. */
export function errorShape(code: ErrorCode, text = "it broke"): ErrorShape {
  return { ok: false, error_code: code, error: text };
}
