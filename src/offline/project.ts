/**
 * `env` without a daemon.
 *
 * @module
 */

import type { ParamsInput, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { baseHost, NO_PROXY, taskUrl } from "../domain/task_url.ts";
import { projectVariables, VARIABLE_PREFIX } from "../domain/variable_names.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";

/**
 * The answer of `project.env`: addresses are those of ports that were assigned before.
 *
 * @throws {TaskmuxError} E500 if the prefix is none; what is wrong with the project's file.
 */
export async function readEnvironment(
  disk: Disk,
  { scope, prefix, urls }: ParamsInput<"project.env">,
): Promise<Result<"project.env">> {
  if (scope.config === undefined) {
    throw new TaskmuxError(
      "E500",
      "Cannot tell variables: without a daemon a project is known by its file",
      { hint: "taskmux daemon start" },
    );
  }
  using project = await openProjectFiles(disk, scope.config, {
    checkout: true,
  });
  const { spec, identity, tasks, store } = project;
  const { projectId } = identity;
  const addresses = [...tasks.values()].map(
    ({ name, host, hostPath, port }) => {
      const assigned = port ?? store?.leases.leaseOf(projectId, name) ?? null;
      const url = taskUrl({
        host,
        hostPath,
        port: assigned,
        projectId,
        proxy: NO_PROXY,
      });
      return [name, url] as const;
    },
  );
  const facts = {
    project: spec.name,
    projectId,
    baseHost: baseHost(projectId, NO_PROXY),
    branch: identity.branch,
    worktreeId: identity.worktreeId,
    isLinked: identity.isLinked,
    urls: addresses,
  };
  return {
    ok: true,
    env: projectVariables(facts, {
      prefix: prefix ?? VARIABLE_PREFIX,
      urls: urls ?? true,
    }),
  };
}
