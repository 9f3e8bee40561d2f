// deno-fmt-ignore-file
/**
 * Parameters and answers of `ca.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface CaOperations {
  /** Sign a new certificate for the names of a project. */
  readonly "ca.mint": {
    readonly params: { readonly scope: { readonly config?: string; readonly session?: string } };
    readonly result: {
      readonly ok: true;
      readonly project: string;
      readonly cert: string;
      readonly key: string;
      readonly names: readonly string[];
      readonly expires_at: string;
      readonly [key: string]: unknown;
    };
  };
  /** Tell which stores of this machine trust the certificate authority. */
  readonly "ca.status": {
    readonly params: { readonly environment?: { readonly [key: string]: string } };
    readonly result: {
      readonly ok: true;
      readonly exists: boolean;
      readonly path: string | null;
      readonly fingerprint: string | null;
      readonly subject: string | null;
      readonly not_after: string | null;
      readonly trusted: boolean;
      readonly stores: readonly {
        readonly store: "system" | "chromium" | "firefox" | "java";
        readonly path: string;
        readonly state: "installed" | "present" | "removed" | "absent" | "needs_root" | "no_tool" | "failed" | "unknown";
        readonly trusted: boolean | null;
        readonly detail: string | null;
        readonly fix: string | null;
      }[];
      readonly bundle: { readonly path: string; readonly current: boolean };
      readonly [key: string]: unknown;
    };
  };
}
