/**
 * `worktree list`, `worktree status` and `worktree urls` without a daemon.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import { addressesOf } from "../domain/address.ts";
import { worktreeRows } from "../domain/worktree_list.ts";
import { systemClock } from "../kit/clock.ts";
import { requireWorktrees } from "../worktree/list_worktrees.ts";
import { readAddressBook } from "./address_book.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";
import { openRegistry } from "./registry.ts";

/** Longest wait for git. */
const GIT_TIMEOUT_MS = 5_000;

/**
 * The answer of `worktree.list`. What runs is not known.
 *
 * @throws {TaskmuxError} E730 if the folder is in no repository.
 */
export async function readWorktrees(
  { paths, env }: Disk,
  folder: string,
): Promise<Result<"worktree.list">> {
  const worktrees = await requireWorktrees(folder, {
    env: env(),
    clock: systemClock,
    signal: AbortSignal.timeout(GIT_TIMEOUT_MS),
  });
  const warnings: string[] = [];
  const entries = await openRegistry(paths, warnings).list();
  const rows = worktreeRows(worktrees, entries, () => null);
  return {
    ok: true,
    worktrees: rows.map((row) => ({ ...row })),
    count: rows.length,
    ...warnings.length === 0 ? {} : { warnings },
  };
}

/** The answer of `worktree.status`. */
export async function readWorktreeStatus(
  disk: Disk,
  config: string,
): Promise<Result<"worktree.status">> {
  using project = await openProjectFiles(disk, config, { checkout: true });
  const { spec, identity } = project;
  const { projectId, worktreeId, branch, worktreePath, primaryPath, isLinked } =
    identity;
  return {
    ok: true,
    session: projectId,
    project: spec.name,
    project_id: projectId,
    worktree: worktreeId,
    branch,
    worktree_path: worktreePath,
    primary_worktree_path: primaryPath,
    is_linked: isLinked,
    config_path: spec.configPath,
    registered: project.isRegistered,
    running: null,
    url: null,
  };
}

/** The answer of `worktree.urls`: addresses as they will be once a daemon runs. */
export async function readWorktreeUrls(
  disk: Disk,
  config: string,
): Promise<Result<"worktree.urls">> {
  using project = await openProjectFiles(disk, config);
  const { projectId } = project.identity;
  const book = await readAddressBook(disk, project);
  const urls = addressesOf(book).flatMap(({ name, host, url, publicUrl }) =>
    url === null ? [] : [{ task: name, host, url, public_url: publicUrl }]
  );
  return { ok: true, session: projectId, project_id: projectId, urls };
}
