/**
 * Finds out what a project is called and which checkout it lives in.
 *
 * Remembers nothing: the caller keeps what was assigned and hands it in again.
 *
 * @module
 */

import {
  type AssignedId,
  assignProjectId,
  type WorktreeRules,
} from "../domain/worktree_id.ts";
import type { GitOptions } from "./git.ts";
import { readCheckout } from "./git_checkout.ts";

/** Which project, and what is already known. */
export interface IdentityRequest {
  /** Absolute folder of the `taskmux.toml`. */
  readonly root: string;
  /** `name` of the file. */
  readonly name: string;
  readonly worktree: WorktreeRules;
  /** What this project was called when it was first registered; null = it is new. */
  readonly assigned: AssignedId | null;
  /**
   * What the checkout with this `GitCheckout.gitDir` was called where it was before; asked for a project that
   * is new, so that a worktree that was moved keeps its id.
   */
  recall?(gitDir: string): Promise<AssignedId | null>;
  /** The ids of all other registered projects. */
  readonly taken: ReadonlySet<string>;
}

/** A project and the checkout it lives in. The paths are null outside a repository. */
export interface ProjectIdentity {
  readonly projectId: string;
  /** Null unless it is called by its worktree. */
  readonly worktreeId: string | null;
  /** Null when no branch is checked out, or outside a repository. */
  readonly branch: string | null;
  readonly isLinked: boolean;
  readonly worktreePath: string | null;
  readonly primaryPath: string | null;
  /** What git knows the checkout by, see `GitCheckout`. */
  readonly gitDir: string | null;
  readonly commonDir: string | null;
}

/** The file of the primary checkout that corresponds to that of a linked worktree; null if there can be none. */
export function primaryConfig(
  configPath: string,
  { isLinked, worktreePath, primaryPath }: ProjectIdentity,
): string | null {
  const isInside = isLinked && worktreePath !== null && primaryPath !== null &&
    configPath.startsWith(`${worktreePath}/`);
  return isInside ? primaryPath + configPath.slice(worktreePath.length) : null;
}

/**
 * The identity of a project, by the rules of {@linkcode assignProjectId}. Asks git, for a few seconds at most; without
 * an answer a known project keeps its id and a new one is called by its name.
 */
export async function identifyProject(
  request: IdentityRequest,
  options: GitOptions,
): Promise<ProjectIdentity> {
  const checkout = await readCheckout(request.root, options);
  const isKnown = checkout !== null && checkout !== "unknown";
  const assigned = request.assigned ??
    (isKnown && checkout.isLinked
      ? await request.recall?.(checkout.gitDir) ?? null
      : null);
  const { projectId, worktreeId } = assignProjectId({
    name: request.name,
    rules: request.worktree,
    checkout,
    assigned,
    taken: request.taken,
  });
  return {
    projectId,
    worktreeId,
    branch: isKnown ? checkout.branch : null,
    isLinked: isKnown ? checkout.isLinked : worktreeId !== null,
    worktreePath: isKnown ? checkout.path : null,
    primaryPath: isKnown ? checkout.primaryPath : null,
    gitDir: isKnown ? checkout.gitDir : null,
    commonDir: isKnown ? checkout.commonDir : null,
  };
}
