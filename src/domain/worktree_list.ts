/**
 * The checkouts of a repository and the projects that are registered in them, as one list. Pure.
 *
 * @module
 */

/** A checkout as git lists it. */
export interface GitWorktree {
  /** Absolute folder; of a bare repository the repository itself. */
  readonly path: string;
  /** Null when no branch is checked out. */
  readonly branch: string | null;
  /** Whether the repository was cloned or initialised there. */
  readonly isPrimary: boolean;
  /** Whether it has no files. */
  readonly isBare: boolean;
  /** Whether git was told to keep it although it may be gone. */
  readonly isLocked: boolean;
  /** Whether git would forget it, because its folder is gone. */
  readonly isPrunable: boolean;
}

/** A registered project. */
export interface WorktreeProject {
  readonly id: string;
  readonly name: string;
  readonly worktreeId: string | null;
  readonly configPath: string;
}

/** What is known of a project that is loaded. */
export interface WorktreeActivity {
  /** Tasks that run. */
  readonly running: number;
  /** Where its names are served; null while they are not. */
  readonly url: string | null;
}

/** A checkout with one project, or with none. */
export interface WorktreeRow {
  readonly session: string | null;
  readonly project: string | null;
  readonly worktree: string | null;
  readonly branch: string | null;
  readonly path: string;
  readonly config_path: string | null;
  readonly primary: boolean;
  readonly registered: boolean;
  readonly locked: boolean;
  readonly prunable: boolean;
  /** Null = nobody knows. */
  readonly running: number | null;
  readonly url: string | null;
}

/**
 * One row for each project of each checkout, and one for each checkout without any. In the order of the checkouts, then
 * of the projects.
 *
 * @param activityOf Null for a project that is not loaded.
 */
export function worktreeRows(
  worktrees: readonly GitWorktree[],
  projects: readonly WorktreeProject[],
  activityOf: (id: string) => WorktreeActivity | null,
): WorktreeRow[] {
  const homes = new Map(
    projects.map((project) => [project, homeOf(project, worktrees)]),
  );
  return worktrees.filter(({ isBare }) => !isBare).flatMap((worktree) => {
    const within = projects.filter((each) => homes.get(each) === worktree);
    const found = within.length === 0 ? [null] : within;
    return found.map((project) => {
      const activity = project === null ? null : activityOf(project.id);
      return {
        session: project?.id ?? null,
        project: project?.name ?? null,
        worktree: project?.worktreeId ?? null,
        branch: worktree.branch,
        path: worktree.path,
        config_path: project?.configPath ?? null,
        primary: worktree.isPrimary,
        registered: project !== null,
        locked: worktree.isLocked,
        prunable: worktree.isPrunable,
        running: activity?.running ?? null,
        url: activity?.url ?? null,
      };
    });
  });
}

/** The innermost checkout that a project's file is in: worktrees may lie inside of one another. */
function homeOf(
  { configPath }: WorktreeProject,
  worktrees: readonly GitWorktree[],
): GitWorktree | null {
  return worktrees.reduce<GitWorktree | null>((best, each) => {
    const isInside = configPath.startsWith(`${each.path}/`);
    const isInner = best === null || each.path.length > best.path.length;
    return isInside && isInner && !each.isBare ? each : best;
  }, null);
}
