/**
 * The list of providers. Each is loaded when it is used first; one more is a file and a line here.
 *
 * @module
 */

import type { TunnelBackend } from "../domain/tunnel.ts";
import type { TunnelProvider } from "./tunnel_provider.ts";

/** What providers need of the daemon itself. */
export interface ProviderOptions {
  /** What stands in `TASKMUX_CLOUDFLARE_API` of the daemon's environment; undefined = nothing. */
  readonly cloudflareApi: string | undefined;
}

type Load = (options: ProviderOptions) => Promise<TunnelProvider>;

const PROVIDERS: Readonly<Record<TunnelBackend, Load>> = {
  "cloudflare": async ({ cloudflareApi = null }) =>
    (await import("./cloudflare/cloudflare_provider.ts"))
      .cloudflareProvider({ apiBase: cloudflareApi }),
  "cloudflare-quick": async () =>
    (await import("./cloudflare_quick.ts")).cloudflareQuick,
  "tailscale": async () => (await import("./tailscale.ts")).tailscale,
  "ngrok": async () => (await import("./ngrok.ts")).ngrok,
  "noop": async () => (await import("./noop.ts")).noop,
};

/** The provider of a backend. Costs one module at first, nothing afterwards. */
export function loadProvider(
  backend: TunnelBackend,
  options: ProviderOptions,
): Promise<TunnelProvider> {
  return PROVIDERS[backend](options);
}
