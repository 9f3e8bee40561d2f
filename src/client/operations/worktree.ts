// deno-fmt-ignore-file
/**
 * Parameters and answers of `worktree.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface WorktreeOperations {
  /** List every checkout of the repository that a folder is in. */
  readonly "worktree.list": {
    readonly params: { readonly folder: string };
    readonly result: {
      readonly ok: true;
      readonly worktrees: readonly {
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
        readonly running: number | null;
        readonly url: string | null;
        readonly [key: string]: unknown;
      }[];
      readonly count: number;
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Tell which worktree a project is in, and what it is called. */
  readonly "worktree.status": {
    readonly params: { readonly scope: { readonly config?: string; readonly session?: string } };
    readonly result: {
      readonly ok: true;
      readonly session: string;
      readonly project: string;
      readonly project_id: string;
      readonly worktree: string | null;
      readonly branch: string | null;
      readonly worktree_path: string | null;
      readonly primary_worktree_path: string | null;
      readonly is_linked: boolean;
      readonly config_path: string;
      readonly registered: boolean;
      readonly running: number | null;
      readonly url: string | null;
      readonly [key: string]: unknown;
    };
  };
  /** Tell the address of everything in a worktree that has one. */
  readonly "worktree.urls": {
    readonly params: { readonly scope: { readonly config?: string; readonly session?: string } };
    readonly result: {
      readonly ok: true;
      readonly session: string;
      readonly project_id: string;
      readonly urls: readonly {
        readonly task: string;
        readonly host: string | null;
        readonly url: string;
        readonly public_url: string | null;
        readonly [key: string]: unknown;
      }[];
      readonly [key: string]: unknown;
    };
  };
}
