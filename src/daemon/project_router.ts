/**
 * Tells the proxy where a name leads: to the task of a project that has it, as that task is now.
 *
 * @module
 */

import { APEX, CATCH_ALL, type HostName } from "../domain/host_name.ts";
import type { Refusal, Route, Router, Upstream } from "../proxy/router.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import type { TaskRunner } from "../supervisor/task_runner.ts";
import type { Projects } from "./projects.ts";

/** See the module. */
export class ProjectRouter implements Router {
  readonly tld: string;
  readonly #projects: () => Projects;

  constructor(tld: string, projects: () => Projects) {
    this.tld = tld;
    this.#projects = projects;
  }

  knows(projectId: string): boolean {
    return this.#projects().find(projectId) !== null;
  }

  find(name: HostName, _signal: AbortSignal): Promise<Route> {
    return Promise.resolve(this.#find(name));
  }

  failed(upstream: Upstream, error: Error): Refusal {
    return refusal({
      code: "upstream_dead",
      message:
        `${upstream.name} does not answer on port ${upstream.port}: ${error.message}`,
      projectId: upstream.projectId,
      task: upstream.name,
      hint: `taskmux restart ${upstream.name}`,
    });
  }

  #find({ projectId, host }: HostName): Route {
    const supervisor = this.#projects().find(projectId)?.supervisor ?? null;
    const runner = supervisor === null ? null : runnerOf(supervisor, host);
    if (runner === null) {
      return refusal({
        code: "unknown_name",
        message: `no task has the host "${host}" in project "${projectId}"`,
        projectId,
        hint: "taskmux status",
      });
    }
    const { run, state } = runner.snapshot();
    if (run === null || run.port === null) {
      return refusal({
        code: "not_running",
        message: `task "${runner.name}" is ${state}`,
        projectId,
        task: runner.name,
        state,
        hint: `taskmux start ${runner.name}`,
      });
    }
    return {
      kind: "upstream",
      port: run.port,
      addresses: ["127.0.0.1", "::1"],
      projectId,
      name: runner.name,
      key: run.runId,
    };
  }
}

function runnerOf(
  supervisor: ProjectSupervisor,
  host: string,
): TaskRunner | null {
  const { runners } = supervisor;
  const exact = runners.find((runner) => runner.spec.host === host);
  if (exact !== undefined || host === APEX) return exact ?? null;
  return runners.find((runner) => runner.spec.host === CATCH_ALL) ?? null;
}

function refusal(
  facts: Pick<Refusal, "code" | "message" | "projectId" | "hint"> & {
    readonly task?: string;
    readonly state?: string;
  },
): Refusal {
  return {
    kind: "refusal",
    status: 503,
    task: null,
    state: null,
    isTransient: false,
    ...facts,
  };
}
