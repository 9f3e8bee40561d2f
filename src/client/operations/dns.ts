// deno-fmt-ignore-file
/**
 * Parameters and answers of `dns.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface DnsOperations {
  /** Have the machine forget what it remembers of names. */
  readonly "dns.flush": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly ok: true;
      readonly resolver: "etc_hosts" | "dns_server" | "noop";
      readonly tld: string;
      readonly changed: boolean;
      readonly next: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Ask our own DNS server. */
  readonly "dns.query": {
    readonly params: { readonly name: string; readonly type?: string };
    readonly result: {
      readonly ok: true;
      readonly name: string;
      readonly type: string;
      readonly rcode: string;
      readonly answers: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Tell how host names are resolved, and whether that works. */
  readonly "dns.status": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly ok: true;
      readonly resolver: "auto" | "etc_hosts" | "dns_server" | "noop";
      readonly configured: string;
      readonly tld: string;
      readonly port: number | null;
      readonly active: boolean;
      readonly installed: boolean;
      readonly current: boolean;
      readonly path: string | null;
      readonly detail: string;
      readonly resolves: boolean | null;
      readonly addresses: readonly string[];
      readonly names: readonly string[];
      readonly unresolved: readonly string[];
      readonly skipped: readonly string[];
      readonly problems: readonly string[];
      readonly hint: string | null;
      readonly [key: string]: unknown;
    };
  };
}
