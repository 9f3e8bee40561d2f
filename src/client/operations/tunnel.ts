// deno-fmt-ignore-file
/**
 * Parameters and answers of `tunnel.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface TunnelOperations {
  /** No longer have tasks reachable from outside; cuts connections. */
  readonly "tunnel.down": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
    };
    readonly result: {
      readonly ok: true;
      readonly session: string;
      readonly closed: readonly string[];
      readonly warnings: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Make one more link that lets one browser in. */
  readonly "tunnel.link": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
    };
    readonly result: {
      readonly ok: true;
      readonly task: string;
      readonly link: string;
      readonly expires_at: number;
      readonly [key: string]: unknown;
    };
  };
  /** Tell which tasks are public, and how. */
  readonly "tunnel.status": {
    readonly params: { readonly scope?: { readonly config?: string; readonly session?: string } };
    readonly result: {
      readonly ok: true;
      readonly tunnels: readonly {
        readonly session: string;
        readonly task: string;
        readonly backend: "cloudflare" | "cloudflare-quick" | "tailscale" | "ngrok" | "noop";
        readonly state: "opening" | "open" | "failing" | "waiting" | "off";
        readonly public: boolean;
        readonly public_url: string | null;
        readonly public_hostname: string | null;
        readonly access: "open" | "basic" | "link";
        readonly reach: "public" | "tailnet";
        readonly standing: boolean;
        readonly opened_at: number | null;
        readonly expires_at: number | null;
        readonly origin: string | null;
        readonly process: string | null;
        readonly reason: string | null;
        readonly requests: number;
        readonly refused: number;
        readonly [key: string]: unknown;
      }[];
      readonly count: number;
      readonly [key: string]: unknown;
    };
  };
  /** Make a running task reachable from outside this machine. */
  readonly "tunnel.up": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
      readonly backend?: "cloudflare" | "cloudflare-quick" | "tailscale" | "ngrok" | "noop";
      readonly hostname?: string;
      readonly access?: "open" | "basic" | "link";
      readonly user?: string;
      readonly password?: string;
      readonly reach?: "public" | "tailnet";
      readonly expires?: number;
      readonly env?: { readonly [key: string]: string };
      readonly timeout?: number;
    };
    readonly result: {
      readonly ok: true;
      readonly task: string;
      readonly session: string;
      readonly action: "opened" | "changed" | "noop";
      readonly public_url: string;
      readonly tunnel: {
        readonly backend: "cloudflare" | "cloudflare-quick" | "tailscale" | "ngrok" | "noop";
        readonly state: "opening" | "open" | "failing" | "waiting" | "off";
        readonly public: boolean;
        readonly public_url: string | null;
        readonly public_hostname: string | null;
        readonly access: "open" | "basic" | "link";
        readonly reach: "public" | "tailnet";
        readonly standing: boolean;
        readonly opened_at: number | null;
        readonly expires_at: number | null;
        readonly origin: string | null;
        readonly process: string | null;
        readonly reason: string | null;
        readonly requests: number;
        readonly refused: number;
        readonly [key: string]: unknown;
      };
      readonly user: string | null;
      readonly password: string | null;
      readonly link: string | null;
      readonly warnings: readonly string[];
      readonly [key: string]: unknown;
    };
  };
}
