/**
 * Operations on the git worktrees of a project.
 *
 * @module
 */

import { z } from "zod";
import { call, scope } from "../operation.ts";

/** A checkout of a repository with a project, or without any. */
export const worktreeRow = z.looseObject({
  /** Null = no project is registered there. */
  session: z.string().nullable(),
  project: z.string().nullable(),
  worktree: z.string().nullable(),
  branch: z.string().nullable(),
  path: z.string(),
  config_path: z.string().nullable(),
  primary: z.boolean(),
  registered: z.boolean(),
  locked: z.boolean(),
  prunable: z.boolean(),
  running: z.number().nullable(),
  url: z.string().nullable(),
});

/** See the module. */
export const worktree = {
  "worktree.list": call({
    summary: "List every checkout of the repository that a folder is in",
    permission: "read",
    effect: "none",
    params: z.strictObject({ folder: z.string().startsWith("/") }),
    result: z.looseObject({
      ok: z.literal(true),
      worktrees: z.array(worktreeRow),
      count: z.number(),
      /** Without a daemon: what is wrong with the registry. */
      warnings: z.array(z.string()).optional(),
    }),
    errors: ["E730"],
    since: "0.2.0",
  }),
  "worktree.status": call({
    summary: "Tell which worktree a project is in, and what it is called",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope }),
    result: z.looseObject({
      ok: z.literal(true),
      session: z.string(),
      project: z.string(),
      project_id: z.string(),
      worktree: z.string().nullable(),
      branch: z.string().nullable(),
      worktree_path: z.string().nullable(),
      primary_worktree_path: z.string().nullable(),
      is_linked: z.boolean(),
      config_path: z.string(),
      registered: z.boolean(),
      running: z.number().nullable(),
      url: z.string().nullable(),
    }),
    errors: ["E303"],
    since: "0.2.0",
  }),
  "worktree.urls": call({
    summary: "Tell the address of everything in a worktree that has one",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope }),
    result: z.looseObject({
      ok: z.literal(true),
      session: z.string(),
      project_id: z.string(),
      urls: z.array(z.looseObject({
        /** The task or alias. */
        task: z.string(),
        host: z.string().nullable(),
        url: z.string(),
        public_url: z.string().nullable(),
      })),
    }),
    errors: ["E303"],
    since: "0.2.0",
  }),
};
