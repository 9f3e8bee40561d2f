// deno-fmt-ignore-file
/**
 * Parameters and answers of `terminal.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface TerminalOperations {
  /** Change the size of a running task's terminal. */
  readonly "terminal.resize": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
      readonly run_id: string;
      readonly cols: number;
      readonly rows: number;
    };
    readonly result: { readonly ok: true; readonly [key: string]: unknown };
  };
  /** Type into a running task. */
  readonly "terminal.write": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
      readonly run_id: string;
      readonly data: string;
    };
    readonly result: { readonly ok: true; readonly [key: string]: unknown };
  };
}
