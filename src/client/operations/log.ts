// deno-fmt-ignore-file
/**
 * Parameters and answers of `log.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface LogOperations {
  /** Delete the log files of a task or of all tasks; running tasks go on in a new file. */
  readonly "log.clean": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
    };
    readonly result: {
      readonly ok: true;
      readonly task: string | null;
      readonly deleted: number;
      readonly [key: string]: unknown;
    };
  };
  /** Tell where a named cursor of the caller stands. */
  readonly "log.cursor": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly cursor_name: string;
    };
    readonly result: {
      readonly ok: true;
      readonly cursor_name: string;
      readonly cursor: string | null;
      readonly [key: string]: unknown;
    };
  };
  /** Digest what went wrong: errors and stack traces in the logs, each once. */
  readonly "log.errors": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
      readonly since?: string | null;
      readonly until?: string | null;
      readonly cursor?: string | null;
      readonly groups?: number;
      readonly max_bytes?: number | null;
      readonly wholly?: boolean;
    };
    readonly result: {
      readonly ok: true;
      readonly groups: readonly ({
        readonly fingerprint: string;
        readonly kind: string;
        readonly task: string;
        readonly message: string;
        readonly count: number;
        readonly first: string;
        readonly last: string;
        readonly frame: {
          readonly file: string;
          readonly line: number | null;
          readonly column: number | null;
          readonly function: string | null;
          readonly [key: string]: unknown;
        } | null;
        readonly sample: readonly string[];
        readonly [key: string]: unknown;
      })[];
      readonly omitted_groups: number;
      readonly cursor: string;
      readonly dropped: number;
      readonly scanned: {
        readonly lines: number;
        readonly bytes: number;
        readonly skipped_bytes: number;
        readonly since: string | null;
        readonly [key: string]: unknown;
      };
      readonly [key: string]: unknown;
    };
  };
  /** Read the logs of a task or of all tasks, rotated files included. */
  readonly "log.read": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
      readonly lines?: number | null;
      readonly grep?: string | null;
      readonly level?: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | null;
      readonly fields?: readonly string[];
      readonly context?: number;
      readonly since?: string | null;
      readonly until?: string | null;
      readonly cursor?: string | null;
      readonly cursor_name?: string | null;
      readonly max_bytes?: number | null;
    };
    readonly result: {
      readonly ok: true;
      readonly task?: string;
      readonly lines: readonly (string | {
        readonly ts: string;
        readonly task: string;
        readonly text: string;
        readonly [key: string]: unknown;
      } | {
        readonly omitted?: { readonly lines: number; readonly bytes: number };
        readonly repeated?: number;
        readonly similar?: true;
        readonly redrawn?: number;
      })[];
      readonly cursor: string;
      readonly dropped: number;
      readonly has_more: boolean;
      readonly omitted?: { readonly lines: number; readonly bytes: number };
      readonly files?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Confirm what was read, so that a named cursor moves there. */
  readonly "log.seen": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly cursor_name: string;
      readonly cursor: string;
    };
    readonly result: {
      readonly ok: true;
      readonly cursor_name: string;
      readonly cursor: string;
      readonly [key: string]: unknown;
    };
  };
}
