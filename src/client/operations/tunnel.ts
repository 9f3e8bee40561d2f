// deno-fmt-ignore-file
/**
 * Parameters and answers of `tunnel.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface TunnelOperations {
  /** Tell which settings of public names count, and where they stand. */
  readonly "tunnel.config": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly env?: { readonly [key: string]: string };
    };
    readonly result: {
      readonly ok: true;
      readonly backend: "cloudflare" | "cloudflare-quick" | "tailscale" | "ngrok" | "noop";
      readonly project_id: string;
      readonly config_path: string;
      readonly global_config_path: string;
      readonly effective: {
        readonly account_id: {
          readonly value: string | null;
          readonly source: string | null;
          readonly [key: string]: unknown;
        };
        readonly zone_id: {
          readonly value: string | null;
          readonly source: string | null;
          readonly [key: string]: unknown;
        };
        readonly tunnel_name: {
          readonly value: string | null;
          readonly source: string | null;
          readonly [key: string]: unknown;
        };
        readonly api_token: {
          readonly value: string | null;
          readonly source: string | null;
          readonly [key: string]: unknown;
        };
        readonly [key: string]: unknown;
      };
      readonly global: {
        readonly account_id: string | null;
        readonly zone_id: string | null;
        readonly tunnel_name: string | null;
        readonly api_token: string | null;
        readonly api_token_env: string;
        readonly [key: string]: unknown;
      };
      readonly project: {
        readonly zone_id: string | null;
        readonly tunnel_name: string | null;
        readonly [key: string]: unknown;
      };
      readonly tasks: readonly {
        readonly name: string;
        readonly tunnel: string | null;
        readonly host: string | null;
        readonly public_hostname: string | null;
        readonly public_url: string | null;
        readonly [key: string]: unknown;
      }[];
      readonly cloudflared_in_path: boolean;
      readonly config_file_mode: string | null;
      readonly config_file_mode_ok: boolean;
      readonly warnings: readonly string[];
      readonly [key: string]: unknown;
    };
  };
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
  /** Check whether tasks could be made public; changes nothing. */
  readonly "tunnel.test": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
      readonly backend?: "cloudflare" | "cloudflare-quick" | "tailscale" | "ngrok" | "noop";
      readonly env?: { readonly [key: string]: string };
    };
    readonly result: {
      readonly ok: boolean;
      readonly session: string;
      readonly tasks: readonly string[];
      readonly preflight: {
        readonly ok: boolean;
        readonly checks: readonly {
          readonly name: string;
          readonly ok: boolean;
          readonly detail: string;
          readonly fix: string | null;
        }[];
        readonly [key: string]: unknown;
      };
      readonly error_code?: string;
      readonly error: string | null;
      readonly hint?: string;
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
