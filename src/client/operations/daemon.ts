// deno-fmt-ignore-file
/**
 * Parameters and answers of `daemon.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface DaemonOperations {
  /** Check what only the daemon can see of the machine. */
  readonly "daemon.examine": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly ok: true;
      readonly checks: readonly {
        readonly name: string;
        readonly status: "ok" | "warn" | "fail";
        readonly detail: string;
        readonly fix: string | null;
      }[];
      readonly [key: string]: unknown;
    };
  };
  /** Tell that the daemon answers. */
  readonly "daemon.ping": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly ok: true;
      readonly pid: number;
      readonly version: string;
      readonly managed?: boolean;
      readonly needs_root?: boolean;
      readonly [key: string]: unknown;
    };
  };
  /** Tell how the daemon and its parts are. */
  readonly "daemon.status": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly ok: true;
      readonly running: boolean;
      readonly pid: number | null;
      readonly version: string;
      readonly started_at: number | null;
      readonly api_port: number | null;
      readonly registered_projects: number;
      readonly running_tasks: number;
      readonly public_tasks: number;
      readonly keeper: {
        readonly pid: number | null;
        readonly version?: string;
        readonly protocol?: number;
        readonly [key: string]: unknown;
      };
      readonly is_root?: boolean;
      readonly service: {
        readonly managed: boolean;
        readonly units: readonly {
          readonly scope: "user" | "system";
          readonly path: string;
          readonly [key: string]: unknown;
        }[];
        readonly [key: string]: unknown;
      };
      readonly proxy: { readonly enabled: boolean; readonly [key: string]: unknown };
      readonly dns: {
        readonly resolver: string;
        readonly active: boolean;
        readonly [key: string]: unknown;
      };
      readonly warnings: readonly string[];
      readonly [key: string]: unknown;
    };
  };
}
