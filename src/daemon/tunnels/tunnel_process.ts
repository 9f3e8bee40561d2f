/**
 * The program of a provider as a task of the project: logs, restarts, health, and nothing of it left after a stop.
 *
 * The project's own hooks are not for it: they are about the user's tasks.
 *
 * @module
 */

import { parseProject } from "../../config/project_config.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { isAtRest } from "../../domain/task_machine.ts";
import type { TaskSpec } from "../../domain/task_spec.ts";
import { isTunnelProgram } from "../../domain/tunnel.ts";
import { DeadlineError, withDeadline } from "../../kit/deadline.ts";
import { lastWordsOf } from "../../supervisor/output_tail.ts";
import { printedLine } from "../../supervisor/printed_line.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { TaskRunner } from "../../supervisor/task_runner.ts";
import type {
  RunningTunnel,
  TunnelProcess,
} from "../../tunnels/tunnel_provider.ts";

/** Looks in a row that fail until a program counts as one that does not work. */
const FAILURES = 2;

/** Lines of the program that an error quotes. */
const LAST_LINES = 8;

/** Crashes in a row after which a program that was never ready is given up. */
const MAX_CRASHES = 2;

/** How a program is to be started. */
export interface ProcessStart {
  /** Name of the caller's environment. */
  readonly environment: string | null;
  readonly timeoutMs: number;
  /** What a line of its log means; null = nothing that is known. */
  explain(line: string): string | null;
}

/** See the module. */
export class TunnelTask {
  readonly #project: ProjectSupervisor;
  readonly #spec: TaskSpec;

  constructor(project: ProjectSupervisor, process: TunnelProcess) {
    this.#project = project;
    this.#spec = specOf(project, process);
  }

  get name(): string {
    return this.#spec.name;
  }

  /** The runner; null while there is none. */
  get runner(): TaskRunner | null {
    return this.#project.own(this.name);
  }

  /** Whether it runs as it is to run now, or is about to. */
  get isCurrent(): boolean {
    const { runner } = this;
    return runner !== null && !isAtRest(runner.machine) &&
      runner.spec.digest === this.#spec.digest;
  }

  /**
   * Has it run. One that runs as it should is not restarted.
   *
   * @param environment Name of the caller's environment.
   * @throws {TaskmuxError} E741 if a task of the user's has its name.
   */
  async start(environment: string | null, signal: AbortSignal): Promise<void> {
    const project = this.#project;
    const { name } = this;
    const before = this.runner;
    if (
      project.spec.tasks.has(name) ||
      (before !== null && !isTunnelProgram(before.spec))
    ) {
      throw new TaskmuxError(
        "E741",
        `Cannot run "${name}" for a tunnel: there is a task of that name`,
        { hint: `Rename task "${name}"`, details: { task: name } },
      );
    }
    if (this.isCurrent) return;
    if (before !== null) await end(project, before, signal);
    const runner = project.addAdHoc(this.#spec);
    if (environment !== null) runner.environment = environment;
    runner.dispatch({ type: "start", isGated: false });
  }

  /**
   * Has it run, ready.
   *
   * @throws {TaskmuxError} E741 with its last words if it is not ready in time, or crashes before it was.
   */
  async ensure(start: ProcessStart, signal: AbortSignal): Promise<void> {
    await this.start(start.environment, signal);
    const runner = this.runner!;
    const verdict = await this.#verdict(runner, start.timeoutMs, signal);
    if (verdict !== "ready") throw await this.#failure(verdict, start);
  }

  /** The program as its provider sees it; null while it does not run. */
  get running(): RunningTunnel | null {
    const { runner } = this;
    const { run } = runner?.snapshot() ?? {};
    if (!runner || !run) return null;
    const { host, projectId } = this.#project;
    return {
      port: run.port,
      findLine: async ({ source, flags }) => {
        const { signal } = new AbortController();
        const pattern = new RegExp(source, flags.replace(/[gy]/g, ""));
        const line = await printedLine(host, {
          projectId,
          spec: this.#spec,
          run,
          pattern: source,
          flags: pattern.flags,
        }, signal);
        return line === null ? null : pattern.exec(line);
      },
    };
  }

  /** What its last words mean; null = nothing that is known. */
  async meaning(explain: ProcessStart["explain"]): Promise<string | null> {
    const { tail } = await lastWordsOf(this.#project, this.name, LAST_LINES);
    return meaningOf(tail, explain);
  }

  async #verdict(
    runner: TaskRunner,
    ms: number,
    signal: AbortSignal,
  ): Promise<string> {
    const project = this.#project;
    const { clock } = project.host;
    try {
      return await withDeadline(
        { clock, ms, signal },
        (waiting) => project.until(() => verdictOf(runner), waiting),
      );
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      const { lastHealth } = runner.snapshot();
      const reason = lastHealth?.reason ?? null;
      return `"${this.name}" is not ready after ${Math.round(ms / 1000)} s${
        reason === null ? "" : ` (${reason})`
      }`;
    }
  }

  async #failure(
    state: string,
    { explain }: ProcessStart,
  ): Promise<TaskmuxError> {
    const { tail } = await lastWordsOf(this.#project, this.name, LAST_LINES);
    const meaning = meaningOf(tail, explain);
    const words = tail.at(-1);
    return new TaskmuxError(
      "E741",
      `Cannot open the tunnel: ${state}${
        meaning !== null
          ? `. ${meaning}`
          : words === undefined
          ? ""
          : `. Its last words: ${words}`
      }`,
      {
        hint: "taskmux tunnel logs",
        details: { process: this.name, output_tail: tail.join("\n") },
      },
    );
  }
}

/** The cause comes first, what follows from it last. */
function meaningOf(
  lines: readonly string[],
  explain: ProcessStart["explain"],
): string | null {
  return lines.map((line) => explain(line)).find((said) => said !== null) ??
    null;
}

/** Ends the program of that name and forgets it, if there is one. Its log stays. */
export async function removeProcess(
  project: ProjectSupervisor,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const runner = project.own(name);
  if (runner === null || !isTunnelProgram(runner.spec)) return;
  await end(project, runner, signal);
  await project.forget(name);
}

/** Whether a program works. One look that fails is none: a busy machine may be slow. */
export function isWorking(runner: TaskRunner): boolean {
  const { run, healthy } = runner.snapshot();
  const { phase } = runner.machine;
  const failures = phase.status === "running" ? phase.health.failures : 0;
  return run !== null && healthy && failures < FAILURES;
}

async function end(
  project: ProjectSupervisor,
  runner: TaskRunner,
  signal: AbortSignal,
): Promise<void> {
  if (isAtRest(runner.machine)) return;
  runner.dispatch({ type: "stop", kind: "stop" });
  await project.until(
    () => isAtRest(runner.machine) ? true : undefined,
    signal,
  );
}

/** `ready`, or why it never will be; undefined = not yet. */
function verdictOf(runner: TaskRunner): string | undefined {
  const snapshot = runner.snapshot();
  if (snapshot.run !== null && snapshot.healthy && snapshot.lastHealth?.ok) {
    return "ready";
  }
  if (isAtRest(runner.machine)) {
    return `"${runner.name}" does not run: ${
      snapshot.reason ?? snapshot.state
    }`;
  }
  return snapshot.restartCount >= MAX_CRASHES
    ? `"${runner.name}" ended ${snapshot.restartCount} times: ${
      snapshot.reason ?? "no reason is known"
    }`
    : undefined;
}

/** The defaults are those of a file that says no more than this. */
function specOf(project: ProjectSupervisor, process: TunnelProcess): TaskSpec {
  const { root } = project.spec;
  const { name, command, env, healthUrl, readyLog } = process;
  const path = ["tasks", name].map((part) => JSON.stringify(part)).join(".");
  // JSON's strings are TOML's basic strings.
  const lines = [
    'name = "tunnel"',
    `[${path}]`,
    `command = ${JSON.stringify(command)}`,
    `cwd = ${JSON.stringify(root)}`,
    "auto_start = false",
    // It connects again by itself; only what ends is started again, for as long as the tunnel is wanted.
    'restart_policy = "always"',
    "max_restarts = 0",
    "health_interval = 2",
    "health_timeout = 3",
    "health_retries = 40",
    "stop_grace_period = 2",
    ...(healthUrl === null
      ? []
      : [`health_url = ${JSON.stringify(healthUrl)}`]),
    ...(readyLog === null ? [] : [`ready_log = ${JSON.stringify(readyLog)}`]),
    `[${path}.env]`,
    ...Object.entries(env).map(([key, value]) =>
      `${JSON.stringify(key)} = ${JSON.stringify(value)}`
    ),
  ];
  const spec = parseProject(lines.join("\n"), `${root}/taskmux.toml`).tasks
    .get(name);
  if (spec === undefined) throw new TypeError(`Cannot find task "${name}"`);
  return { ...spec, role: "tunnel" };
}
