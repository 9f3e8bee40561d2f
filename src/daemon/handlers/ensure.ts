/**
 * The handler of `task.ensure`.
 *
 * @module
 */

import type { Params, Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import {
  type EnsureOutcome,
  ensureTasks,
} from "../../supervisor/ensure_action.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import { parseCondition } from "../../supervisor/wait_condition.ts";
import type { CallContext } from "../dispatcher.ts";
import { openingWarnings, tunnelsBefore } from "../public_warnings.ts";
import { urlOf } from "../project_view.ts";
import type { Services } from "../services.ts";

type Ensured = NonNullable<Result<"task.ensure">["results"]>[number];

/**
 * Starts what is not there and waits for it.
 *
 * @throws {TaskmuxError} The error of the one task that was named; several are answered with `ok: false` and the code of
 * the first that failed.
 */
export async function ensureHandler(
  services: Services,
  params: Params<"task.ensure">,
  { signal, onProgress }: CallContext,
): Promise<Result<"task.ensure">> {
  const condition = parseCondition(params.for);
  const { env } = params;
  const project = await services.projects.require(params.scope);
  const before = tunnelsBefore(services, project);
  const { outcomes, warnings: others } = await ensureTasks(project, {
    names: params.tasks,
    condition,
    timeoutMs: params.timeout * 1000,
    waitedMs: params.waited * 1000,
    environment: env === undefined
      ? null
      : { name: await services.host.environments.remember(env), env },
  }, { signal, onProgress });
  const results = outcomes.map((outcome) => viewOutcome(project, outcome));
  const opening = openingWarnings(
    before,
    outcomes.map(({ runner, ...rest }) => ({ ...rest, task: runner.name })),
  );
  const warnings = [...others, ...opening];
  const told = warnings.length === 0 ? {} : { warnings: [...warnings] };
  const failure = outcomes.find(({ error }) => error !== null)?.error ?? null;
  const [only] = results;
  if (results.length === 1 && only !== undefined) {
    if (failure === null) return { ...only, ok: true, ...told };
    const { action, state, pid, port } = only;
    throw TaskmuxError.fromShape({
      ...failure,
      details: {
        ...failure.details,
        ...told,
        task: only.task,
        action,
        state,
        pid,
        port,
      },
    });
  }
  const head = failure === null
    ? { ok: true }
    : { ...failure, ok: false, details: { ...failure.details } };
  return { ...head, results, ...told };
}

function viewOutcome(
  project: ProjectSupervisor,
  { runner, action, error, line }: EnsureOutcome,
): Ensured {
  const { state, run } = runner.snapshot();
  const ageMs = run === null
    ? null
    : Math.max(0, project.host.clock.now() - run.startedAt);
  const base = {
    task: runner.name,
    action,
    state,
    url: urlOf(project, runner),
    port: project.portOf(runner),
    pid: run?.pid ?? null,
    age: ageMs === null ? null : Math.round(ageMs / 100) / 10,
    ...line === undefined ? {} : { line },
  };
  if (error === null) return { ok: true, ...base };
  const { details, ...shape } = error;
  return { ...base, ...shape, ok: false, details: { ...details } };
}
