/**
 * `env` without a daemon.
 *
 * @module
 */

import type { ParamsInput, Result } from "../contract/mod.ts";
import { addressesOf } from "../domain/address.ts";
import { clientVariables } from "../domain/client_variables.ts";
import { TaskmuxError } from "../domain/error.ts";
import { baseHost } from "../domain/task_url.ts";
import { projectVariables, VARIABLE_PREFIX } from "../domain/variable_names.ts";
import { readCaPath } from "./ca_path.ts";
import { readAddressBook } from "./address_book.ts";
import { kindOf } from "../kit/set_aside.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";

/**
 * The answer of `project.env`: addresses are as they will be once a daemon runs.
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
  const { spec, identity } = project;
  const book = await readAddressBook(disk, project);
  const facts = {
    project: spec.name,
    projectId: identity.projectId,
    baseHost: baseHost(identity.projectId, book.proxy),
    branch: identity.branch,
    worktreeId: identity.worktreeId,
    isLinked: identity.isLinked,
    urls: addressesOf(book).map(({ name, url }) => [name, url] as const),
  };
  const variables = projectVariables(facts, {
    prefix: prefix ?? VARIABLE_PREFIX,
    urls: urls ?? true,
  });
  const { paths } = disk;
  const caPath = await readCaPath({ paths, env: disk.env() });
  const isThere = caPath !== null && kindOf(paths.caBundle) === "file";
  return {
    ok: true,
    env: {
      ...variables,
      ...isThere ? clientVariables(paths.caBundle) : {},
    },
  };
}
