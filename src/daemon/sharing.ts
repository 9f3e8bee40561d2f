/**
 * Finds the project of the primary checkout for linked worktrees whose tasks have the scope `repo`.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { ProjectSpec } from "../domain/task_spec.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import {
  primaryConfig,
  type ProjectIdentity,
} from "../worktree/identify_project.ts";
import type { Project } from "./project.ts";

/** What finding takes. */
export interface SharingOptions {
  /** The managed project of a file, or null. */
  find(configPath: string): Project | null;
  /** Registers the project of a file, or finds it. */
  register(configPath: string): Promise<Project>;
}

/** `act`: a project that is not registered is; `look`: it is not, and nobody complains. */
export type SharingManner = "act" | "look";

/** See the module. */
export class Sharing {
  readonly #options: SharingOptions;
  /** Project id → the file of the primary checkout that corresponds to its own. */
  readonly #primaries = new Map<string, string>();

  constructor(options: SharingOptions) {
    this.#options = options;
  }

  /** Notes where the primary checkout of a project is. */
  note(id: string, spec: ProjectSpec, identity: ProjectIdentity): void {
    const config = primaryConfig(spec.configPath, identity);
    if (config === null) this.#primaries.delete(id);
    else this.#primaries.set(id, config);
  }

  /**
   * Has a project share its tasks with that of the primary checkout, as that is now. Without one its tasks run where it is,
   * and the supervisor knows why.
   */
  async connect(
    supervisor: ProjectSupervisor,
    manner: SharingManner,
  ): Promise<void> {
    const { identity: { isLinked }, spec, projectId } = supervisor;
    const hasShared = [...spec.tasks.values()]
      .some(({ scope }) => scope === "repo");
    if (!isLinked || !hasShared) return supervisor.shareFrom(null);
    const config = this.#primaries.get(projectId);
    if (config === undefined) {
      return supervisor.shareFrom(
        null,
        "git did not tell where the primary checkout is",
      );
    }
    try {
      const owner = await this.#ownerAt(config, manner);
      const before = owner === null ? supervisor.sharingObstacle : null;
      supervisor.shareFrom(owner, before);
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      supervisor.shareFrom(null, error.message.split("\n")[0] ?? null);
    }
  }

  async #ownerAt(
    config: string,
    manner: SharingManner,
  ): Promise<ProjectSupervisor | null> {
    const known = this.#options.find(config);
    if (known === null && manner === "look") return null;
    const project = known ?? await this.#options.register(config);
    if (manner === "act") await project.refresh();
    // A broken file leaves the old one in force; one that is gone takes its tasks along.
    if (project.error?.error_code === "E100") {
      throw TaskmuxError.fromShape(project.error);
    }
    return project.requireSupervisor();
  }
}
