// deno-fmt-ignore-file
/**
 * Parameters and answers of `address.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface AddressOperations {
  /** Tell the address of a task or alias, whether or not something answers there now. */
  readonly "address.get": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly name: string;
      readonly public?: boolean;
      readonly tips?: boolean;
    };
    readonly result: {
      readonly ok: true;
      readonly task: string;
      readonly url: string;
      readonly public_url: string | null;
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Tell the address of every task and alias that has one. */
  readonly "address.list": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tips?: boolean;
    };
    readonly result: {
      readonly ok: true;
      readonly project_id: string;
      readonly urls: readonly {
        readonly task: string;
        readonly host: string | null;
        readonly url: string;
        readonly public_url: string | null;
        readonly [key: string]: unknown;
      }[];
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Open the address of a task or alias in the caller's browser. */
  readonly "address.open": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly name: string;
      readonly public?: boolean;
      readonly env: { readonly [key: string]: string };
    };
    readonly result: {
      readonly ok: boolean;
      readonly task: string;
      readonly url: string;
      readonly error_code?: string;
      readonly error?: string;
      readonly hint?: string;
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
}
