// deno-fmt-ignore-file
/**
 * Parameters and answers of `alias.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface AliasOperations {
  /** Give a port that no task listens on a name; live at once. */
  readonly "alias.add": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly name: string;
      readonly port: number;
      readonly host?: string;
    };
    readonly result: {
      readonly ok: true;
      readonly alias: string;
      readonly host: string;
      readonly port: number;
      readonly url: string;
      readonly action: "added" | "replaced" | "unchanged";
      readonly warnings: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** List the aliases of a project. */
  readonly "alias.list": {
    readonly params: { readonly scope: { readonly config?: string; readonly session?: string } };
    readonly result: {
      readonly ok: true;
      readonly aliases: readonly {
        readonly name: string;
        readonly host: string;
        readonly port: number;
        readonly url: string | null;
        readonly [key: string]: unknown;
      }[];
      readonly count: number;
      readonly warnings: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Take the name of a foreign port away. */
  readonly "alias.remove": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly name: string;
    };
    readonly result: {
      readonly ok: true;
      readonly alias: string;
      readonly action: "removed";
      readonly [key: string]: unknown;
    };
  };
}
