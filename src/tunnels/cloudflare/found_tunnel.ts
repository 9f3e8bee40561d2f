/**
 * Tunnels as they are at Cloudflare. Only reads.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { Json } from "../../kit/json.ts";
import type { KnownTunnel } from "./cloudflare_memory.ts";
import {
  CloudflareRefusal,
  isObject,
  listOf,
  TUNNEL_PERMISSION,
} from "./cloudflare_refusal.ts";
import {
  type CloudflareSession,
  FRESH_MS,
  VISIBLE_PAUSES_MS,
} from "./cloudflare_session.ts";
import { toConfiguration, type TunnelConfiguration } from "./tunnel_ingress.ts";

/** Most tunnels that the API lists at once. */
const PAGE_SIZE = 100;

/** Where a tunnel is. */
export interface TunnelPlace {
  readonly account: string;
  readonly id: string;
}

/** A tunnel as it is there. */
export interface FoundTunnel extends TunnelPlace {
  readonly name: string;
  /** Whether its configuration is kept at Cloudflare, so that we can set it. */
  readonly isRemote: boolean;
}

/** Path of a tunnel at the API, or of something below it. */
export function tunnelPath(account: string, id = "", below = ""): string {
  const parts = ["", "accounts", account, "cfd_tunnel", id, below];
  return parts.map(encodeURIComponent).join("/").replace(/\/+$/, "");
}

/**
 * A tunnel by its id; null if it was deleted. One that is new is looked for more than once.
 *
 * @throws {CloudflareRefusal}
 */
export async function findTunnel(
  session: CloudflareSession,
  { account, id, since }: KnownTunnel,
  signal: AbortSignal,
): Promise<FoundTunnel | null> {
  const { clock } = session.context;
  const isFresh = Math.abs(clock.now() - since) < FRESH_MS;
  for (const pause of isFresh ? VISIBLE_PAUSES_MS : [0]) {
    if (pause > 0) await clock.sleep(pause, signal);
    const found = await orMissing(
      session.api.get({
        path: tunnelPath(account, id),
        doing: "look at the tunnel of this project",
        needs: TUNNEL_PERMISSION,
      }, signal),
    );
    if (found !== null) return toTunnel(account, found);
  }
  return null;
}

/** What a tunnel is told to do; null if it was told nothing yet. @throws {CloudflareRefusal} */
export async function configurationOf(
  session: CloudflareSession,
  { account, id }: TunnelPlace,
  signal: AbortSignal,
): Promise<TunnelConfiguration> {
  const answer = await orMissing(
    session.api.get({
      path: tunnelPath(account, id, "configurations"),
      doing: "read what the tunnel of this project leads to",
      needs: TUNNEL_PERMISSION,
    }, signal),
  );
  return answer === null ? null : toConfiguration(answer);
}

/** Programs that are connected for a tunnel, with their addresses. @throws {CloudflareRefusal} */
export async function connectorsOf(
  session: CloudflareSession,
  { account, id }: TunnelPlace,
  signal: AbortSignal,
): Promise<readonly string[]> {
  // Since October 2026 the tunnel itself does not tell of its connections.
  const answer = await orMissing(
    session.api.get({
      path: tunnelPath(account, id, "connections"),
      doing: "see who is connected to the tunnel",
      needs: TUNNEL_PERMISSION,
    }, signal),
  );
  return listOf(answer ?? undefined).filter(isObject).flatMap((client) => {
    const connections = listOf(client.conns).filter(isObject);
    if (Array.isArray(client.conns) && connections.length === 0) return [];
    const from = connections[0]?.origin_ip ?? client.origin_ip;
    return [typeof from === "string" ? from : "an unknown address"];
  });
}

/** What cloudflared needs to connect for a tunnel: a secret. @throws {CloudflareRefusal} */
export async function runTokenOf(
  session: CloudflareSession,
  { account, id }: TunnelPlace,
  signal: AbortSignal,
): Promise<string> {
  const token = await session.api.get({
    path: tunnelPath(account, id, "token"),
    doing: "get the token of the tunnel",
    needs: TUNNEL_PERMISSION,
  }, signal);
  if (typeof token !== "string" || !/^[\x21-\x7e]{1,8192}$/.test(token)) {
    throw new TaskmuxError(
      "E741",
      "Cannot get the token of the tunnel: Cloudflare answered with none",
      { hint: "Try again" },
    );
  }
  session.context.noteSecret(token);
  const secret = secretOf(token);
  if (secret !== null) session.context.noteSecret(secret);
  return token;
}

/** The tunnel of the wanted name that is not deleted; null if there is none. @throws {CloudflareRefusal} */
export async function tunnelByName(
  session: CloudflareSession,
  signal: AbortSignal,
): Promise<FoundTunnel | null> {
  const { account } = session;
  const found = await session.api.list(
    {
      path: tunnelPath(account),
      query: { name: session.tunnelName, is_deleted: "false" },
      doing: `list the tunnels of account ${account}`,
      needs: TUNNEL_PERMISSION,
    },
    PAGE_SIZE,
    signal,
  );
  const tunnels = found.map((item) => toTunnel(account, item)).filter((
    tunnel,
  ) => tunnel !== null);
  return tunnels.find(({ name }) => name === session.tunnelName) ?? null;
}

function toTunnel(account: string, item: Json): FoundTunnel | null {
  if (!isObject(item)) return null;
  const { id, name, deleted_at, config_src, remote_config } = item;
  if (typeof id !== "string" || typeof name !== "string") return null;
  if (deleted_at !== null && deleted_at !== undefined) return null;
  const isRemote = typeof config_src === "string"
    ? config_src === "cloudflare"
    : remote_config !== false;
  return { account, id, name, isRemote };
}

/** The answer, or null where there is no such thing. */
async function orMissing(answer: Promise<Json>): Promise<Json> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CloudflareRefusal && error.isMissing) return null;
    throw error;
  }
}

/** The secret in a tunnel's token, which is Base64 of `{a: account, t: tunnel, s: secret}`; null if it is none. */
export function secretOf(token: string): string | null {
  try {
    const bytes = Uint8Array.fromBase64(token);
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) && typeof value.s === "string" ? value.s : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
