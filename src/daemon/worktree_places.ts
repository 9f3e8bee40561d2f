/**
 * Where the linked worktrees of registered projects are, remembered beyond the daemon: when one is gone, its folder tells
 * nothing any more.
 *
 * @module
 */

import type { AssignedId } from "../domain/worktree_id.ts";
import { baseName } from "../kit/path.ts";
import type { MetaTable } from "../store/meta_table.ts";
import type { RegistryEntry } from "../store/registry.ts";
import type { ProjectIdentity } from "../worktree/identify_project.ts";
import {
  placeOf,
  type WorktreeFate,
  worktreeFate,
  type WorktreePlace,
} from "../worktree/worktree_fate.ts";

/** See the module. */
export class WorktreePlaces {
  readonly #meta: MetaTable;

  constructor(meta: MetaTable) {
    this.#meta = meta;
  }

  /** Remembers where a project's worktree is. What is no linked worktree is forgotten. */
  async note(id: string, identity: ProjectIdentity): Promise<void> {
    const { isLinked, worktreePath, gitDir, commonDir } = identity;
    const isKnown = worktreePath !== null && gitDir !== null &&
      commonDir !== null;
    // Git did not answer: what it said last still holds.
    if (isLinked && !isKnown) return;
    const place = isLinked && isKnown
      ? await placeOf({ path: worktreePath, gitDir, commonDir })
      : null;
    const text = place === null ? "" : JSON.stringify(place);
    if ((this.#meta.get(keyOf(id)) ?? "") !== text) {
      this.#meta.set(keyOf(id), text);
    }
  }

  /** Where the worktree of a project was seen last; null if it is no linked worktree. */
  find(id: string): WorktreePlace | null {
    const text = this.#meta.get(keyOf(id)) ?? "";
    return text === "" ? null : JSON.parse(text) as WorktreePlace;
  }

  /** Forgets it. */
  forget(id: string): void {
    if (this.find(id) !== null) this.#meta.set(keyOf(id), "");
  }

  /** What became of the worktree of a project; null if it is no linked worktree. Some system calls. */
  async fateOf(id: string): Promise<WorktreeFate | null> {
    const place = this.find(id);
    return place === null ? null : await worktreeFate(place);
  }

  /**
   * Where the file of a project is after its worktree was moved.
   *
   * @param configPath Where it was, inside of the worktree or not.
   */
  movedConfig(id: string, configPath: string, to: string): string {
    const path = this.find(id)?.path ?? "";
    return configPath.startsWith(`${path}/`)
      ? to + configPath.slice(path.length)
      : `${to}/${baseName(configPath)}`;
  }

  /** The one of these projects whose worktree git keeps there, and which is not where it was. */
  async recall(
    gitDir: string,
    entries: readonly RegistryEntry[],
  ): Promise<AssignedId | null> {
    for (const { id, name, worktreeId } of entries) {
      if (this.find(id)?.gitDir !== gitDir) continue;
      const fate = await this.fateOf(id);
      if (fate?.kind === "moved") return { id, name, worktreeId };
    }
    return null;
  }
}

function keyOf(id: string): string {
  return `worktree:${id}`;
}
