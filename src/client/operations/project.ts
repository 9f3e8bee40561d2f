// deno-fmt-ignore-file
/**
 * Parameters and answers of `project.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface ProjectOperations {
  /** Add a task to a project's file, or replace it there; comments and order stay. */
  readonly "project.add_task": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
      readonly command: string;
      readonly cwd?: string;
      readonly host?: string;
      readonly port?: number;
      readonly health_check?: string;
      readonly health_url?: string;
      readonly depends_on?: readonly string[];
      readonly auto_start?: boolean;
    };
    readonly result: {
      readonly ok: true;
      readonly task: string;
      readonly command: string;
      readonly action: "added" | "replaced";
      readonly config: string;
      readonly agent_files_rewritten: readonly string[];
      readonly warnings: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Tell the environment variables that a project's tasks see. */
  readonly "project.env": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly prefix?: string;
      readonly urls?: boolean;
    };
    readonly result: {
      readonly ok: true;
      readonly env: { readonly [key: string]: string };
      readonly [key: string]: unknown;
    };
  };
  /** List every registered project. */
  readonly "project.list": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly ok: true;
      readonly projects: readonly {
        readonly session: string;
        readonly config_path: string;
        readonly registered_at: string;
        readonly state: "ok" | "config_missing" | "error" | "unmanaged";
        readonly session_exists: boolean;
        readonly task_count: number | null;
        readonly running_count: number | null;
        readonly public_count?: number;
        readonly [key: string]: unknown;
      }[];
      readonly count: number;
      readonly daemon_pid: number | null;
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Register a project so that the daemon manages it. */
  readonly "project.register": {
    readonly params: { readonly config: string; readonly force?: boolean };
    readonly result: {
      readonly ok: true;
      readonly action: "registered";
      readonly entry: {
        readonly session: string;
        readonly config_path: string;
        readonly registered_at: string;
        readonly [key: string]: unknown;
      };
      readonly [key: string]: unknown;
    };
  };
  /** End a task that is about to leave the file, if it may leave it. */
  readonly "project.remove_task": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
      readonly edit?: boolean;
    };
    readonly result: {
      readonly ok: true;
      readonly stopped: boolean;
      readonly [key: string]: unknown;
    };
  };
  /** Read the registry and the files of projects again, now. */
  readonly "project.resync": {
    readonly params: { readonly session?: string };
    readonly result: {
      readonly ok: true;
      readonly count: number;
      readonly added: readonly string[];
      readonly dropped: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Stop a project's tasks and forget it. */
  readonly "project.unregister": {
    readonly params: { readonly session: string };
    readonly result: {
      readonly ok: true;
      readonly action: "unregistered";
      readonly session: string;
      readonly stopped: readonly string[];
      readonly [key: string]: unknown;
    };
  };
}
