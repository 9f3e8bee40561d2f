// deno-fmt-ignore-file
/**
 * Parameters and answers of `port.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface PortOperations {
  /** Tell who listens on a TCP port, and which task it belongs to. */
  readonly "port.who": {
    readonly params: { readonly port: number };
    readonly result: {
      readonly ok: true;
      readonly port: number;
      readonly listening: boolean | null;
      readonly holders: readonly {
        readonly pid: number | null;
        readonly command: string | null;
        readonly addresses: readonly string[];
        readonly uid: number | null;
        readonly ours: boolean;
        readonly session: string | null;
        readonly task: string | null;
        readonly run_id: string | null;
        readonly [key: string]: unknown;
      }[] | null;
      readonly reason?: string;
      readonly lease: {
        readonly session: string;
        readonly task: string;
        readonly fixed: boolean | null;
        readonly [key: string]: unknown;
      } | null;
      readonly [key: string]: unknown;
    };
  };
}
