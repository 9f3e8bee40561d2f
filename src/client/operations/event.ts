// deno-fmt-ignore-file
/**
 * Parameters and answers of `event.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface EventOperations {
  /** List lifecycle events, oldest first. */
  readonly "event.list": {
    readonly params: {
      readonly scope?: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
      readonly types?: readonly string[];
      readonly level?: "info" | "warning" | "error" | null;
      readonly since?: string | null;
      readonly cursor?: string | null;
      readonly until?: string | null;
      readonly limit?: number;
    };
    readonly result: {
      readonly ok: true;
      readonly events: readonly {
        readonly seq: number;
        readonly ts: string;
        readonly event: string;
        readonly severity: "info" | "warning" | "error";
        readonly session: string | null;
        readonly task?: string;
        readonly [key: string]: unknown;
      }[];
      readonly count: number;
      readonly cursor: string;
      readonly has_more: boolean;
      readonly shared?: { readonly session: string; readonly tasks: readonly string[] };
      readonly forgotten?: number;
      readonly [key: string]: unknown;
    };
  };
}
