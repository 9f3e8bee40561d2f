/**
 * Handlers of the operations on worktrees.
 *
 * @module
 */

import { addressesOf } from "../../domain/address.ts";
import { APEX } from "../../domain/host_name.ts";
import { hostUrl } from "../../domain/task_url.ts";
import { isTunnelProgram } from "../../domain/tunnel.ts";
import { worktreeRows } from "../../domain/worktree_list.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { GitOptions } from "../../worktree/git.ts";
import { readCheckout } from "../../worktree/git_checkout.ts";
import { requireWorktrees } from "../../worktree/list_worktrees.ts";
import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

type WorktreeHandlers = Pick<
  Handlers,
  "worktree.list" | "worktree.status" | "worktree.urls"
>;

/** See the module. */
export function worktreeHandlers(services: Services): WorktreeHandlers {
  const { projects, registry } = services;
  const gitOptions = (signal: AbortSignal): GitOptions => ({
    env: services.environment(),
    clock: services.host.clock,
    signal,
  });
  return {
    "worktree.list": async ({ folder }, { signal }) => {
      const worktrees = await requireWorktrees(folder, gitOptions(signal));
      const rows = worktreeRows(worktrees, await registry.list(), (id) => {
        const supervisor = projects.find(id)?.supervisor ?? null;
        return supervisor === null ? null : activityOf(supervisor);
      });
      return {
        ok: true,
        worktrees: rows.map((row) => ({ ...row })),
        count: rows.length,
      };
    },
    "worktree.status": async ({ scope }, { signal }) => {
      await using looked = await projects.look(scope);
      const { supervisor } = looked;
      const { spec, projectId, identity } = supervisor;
      // Asked anew: the branch may be another one than when the project was loaded.
      const found = await readCheckout(spec.root, gitOptions(signal));
      const checkout = found === "unknown" ? null : found;
      return {
        ok: true,
        session: projectId,
        project: spec.name,
        project_id: projectId,
        worktree: identity.worktreeId,
        branch: checkout?.branch ?? null,
        worktree_path: checkout?.path ?? null,
        primary_worktree_path: checkout?.primaryPath ?? null,
        is_linked: checkout?.isLinked ?? identity.isLinked,
        config_path: spec.configPath,
        registered: looked.project !== null,
        ...activityOf(supervisor),
      };
    },
    "worktree.urls": async ({ scope }) => {
      await using looked = await projects.look(scope);
      const { supervisor } = looked;
      return {
        ok: true,
        session: supervisor.projectId,
        project_id: supervisor.projectId,
        urls: addressesOf(supervisor.addressBook()).flatMap(
          ({ name, host, url, publicUrl }) =>
            url === null
              ? []
              : [{ task: name, host, url, public_url: publicUrl }],
        ),
      };
    },
  };
}

function activityOf({ host, projectId, ownRunners }: ProjectSupervisor) {
  const proxy = host.proxy();
  return {
    running:
      ownRunners.filter((each) =>
        each.snapshot().run !== null && !isTunnelProgram(each.spec)
      ).length,
    url: proxy.bound ? hostUrl({ host: APEX, projectId, proxy }) : null,
  };
}
