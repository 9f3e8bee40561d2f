/**
 * Cloudflare's program `cloudflared`: how to get it, and what its last words mean.
 *
 * @module
 */

import type { NeededProgram } from "./program_check.ts";

const DOWNLOADS =
  "https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/downloads/";

/** The program. Any version that is still supported does. */
export const CLOUDFLARED: NeededProgram = {
  program: "cloudflared",
  versionArgs: ["--version"],
  install: Deno.build.os === "darwin"
    ? "brew install cloudflared"
    : `Install cloudflared: ${DOWNLOADS}`,
  update: Deno.build.os === "darwin"
    ? "brew upgrade cloudflared"
    : `Update cloudflared: ${DOWNLOADS}`,
};

const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [
    /Error unmarshaling QuickTunnel response.*(?:1015|429)|429 Too Many Requests/,
    "Cloudflare refuses new quick tunnels from this address for some minutes, as too many were asked for: " +
    "wait, or use a tunnel of your own account (taskmux tunnel enable)",
  ],
  [
    /failed to (?:request|unmarshal|parse) quick Tunnel|Error unmarshaling QuickTunnel/,
    "Cloudflare gave no quick tunnel: api.trycloudflare.com cannot be reached from here, or does not work now",
  ],
  [
    /Unauthorized: (?:Failed to get tunnel|Tunnel not found|Record for tunnel not found|Invalid tunnel secret)/,
    "Cloudflare does not know this tunnel any more, or not by this token: close it and open it again (taskmux tunnel down, then up)",
  ],
  [
    /failed to dial to edge with quic|no recent network activity/,
    "UDP to port 7844 does not get out of this network: set TUNNEL_TRANSPORT_PROTOCOL=http2 where you call taskmux",
  ],
  [
    /DialContext error|Unable to establish connection with Cloudflare edge|edge discovery|lookup .*argotunnel\.com/,
    "Cloudflare cannot be reached: port 7844 (TCP and UDP) must be open to region1.v2.argotunnel.com",
  ],
];

/** What a line of its log means, and what to do; null = nothing that has to be told. */
export function explainCloudflared(line: string): string | null {
  return MEANINGS.find(([pattern]) => pattern.test(line))?.[1] ?? null;
}
