/**
 * Tells a tunnel what is behind its names.
 *
 * @module
 */

import type { Json, JsonObject } from "../../kit/json.ts";
import type { TunnelTarget } from "../tunnel_provider.ts";
import type { KnownTunnel } from "./cloudflare_memory.ts";
import { CloudflareRefusal, TUNNEL_PERMISSION } from "./cloudflare_refusal.ts";
import {
  type CloudflareSession,
  FRESH_MS,
  VISIBLE_PAUSES_MS,
} from "./cloudflare_session.ts";
import { tunnelPath } from "./found_tunnel.ts";
import {
  hostnamesOf,
  type TunnelConfiguration,
  withTargets,
} from "./tunnel_ingress.ts";

/** What a tunnel is to lead to. */
export interface IngressWish {
  readonly tunnel: KnownTunnel;
  /** As it is now. */
  readonly configuration: TunnelConfiguration;
  readonly targets: readonly TunnelTarget[];
  /** Rules that are not ours and stay. */
  readonly kept?: readonly Json[];
}

/**
 * Has a tunnel lead to exactly these targets; asks for nothing where it does already.
 *
 * @throws {CloudflareRefusal}
 */
export async function applyIngress(
  session: CloudflareSession,
  { tunnel, configuration, targets, kept = [] }: IngressWish,
  signal: AbortSignal,
): Promise<void> {
  const wanted = withTargets(configuration, targets, kept);
  const names = hostnamesOf(withTargets(null, targets));
  if (wanted !== null) {
    // Before it is so: what of it is there after a crash is ours.
    const { ingress } = session.facts;
    session.learn({ ingress: [...new Set([...ingress, ...names])] });
    await put(session, { tunnel, configuration: wanted }, signal);
  }
  session.learn({ ingress: names });
}

async function put(
  session: CloudflareSession,
  { tunnel, configuration }: {
    readonly tunnel: KnownTunnel;
    readonly configuration: JsonObject;
  },
  signal: AbortSignal,
): Promise<void> {
  const { clock } = session.context;
  const isFresh = Math.abs(clock.now() - tunnel.since) < FRESH_MS;
  const pauses = isFresh ? VISIBLE_PAUSES_MS : [0];
  for (const [at, pause] of pauses.entries()) {
    if (pause > 0) await clock.sleep(pause, signal);
    try {
      await session.api.put({
        path: tunnelPath(tunnel.account, tunnel.id, "configurations"),
        body: { config: configuration },
        doing: `tell the tunnel "${tunnel.name}" where its names lead`,
        needs: TUNNEL_PERMISSION,
      }, signal);
      return;
    } catch (error) {
      const isUnseen = error instanceof CloudflareRefusal && error.isMissing;
      if (!isUnseen || at === pauses.length - 1) throw error;
    }
  }
}
