/**
 * Which accounts and zones a token sees, for whoever has to choose.
 *
 * @module
 */

import type { TunnelContext } from "../tunnel_provider.ts";
import { apiBase, idOf } from "./cloudflare_api.ts";
import { CloudflareRefusal } from "./cloudflare_refusal.ts";
import { CloudflareSession } from "./cloudflare_session.ts";
import { seenZones } from "./public_names.ts";

/** Most accounts that the API lists at once. */
const PAGE_SIZE = 50;

/** Something at Cloudflare with a name. */
export interface SeenPlace {
  readonly id: string;
  readonly name: string;
  readonly [key: string]: unknown;
}

/** See the module. */
export interface SeenPlaces {
  readonly accounts: SeenPlace[];
  readonly zones: SeenPlace[];
}

/**
 * Asks. A token need not be allowed to see accounts; then there are those that its zones belong to.
 *
 * @param base What `TASKMUX_CLOUDFLARE_API` says.
 * @throws {TaskmuxError} E741 if there is no token, or Cloudflare does not tell its zones.
 */
export async function seenPlaces(
  context: TunnelContext,
  base: string | undefined,
  signal: AbortSignal,
): Promise<SeenPlaces> {
  const session = new CloudflareSession({ context, base: apiBase(base) });
  const { zones } = await seenZones(session, signal);
  const accounts = new Map<string, string>();
  for (const { account, name } of zones) {
    if (account !== null) accounts.set(account, `account of ${name}`);
  }
  for (const { id, name } of await listedAccounts(session, signal)) {
    accounts.set(id, name);
  }
  return {
    accounts: [...accounts].map(([id, name]) => ({ id, name })),
    zones: zones.map(({ id, name }) => ({ id, name })),
  };
}

async function listedAccounts(
  { api }: CloudflareSession,
  signal: AbortSignal,
): Promise<readonly SeenPlace[]> {
  try {
    const doing = "list the accounts that the API token sees";
    const call = { path: "/accounts", doing };
    const listed = await api.list(call, PAGE_SIZE, signal);
    return listed.flatMap((account) => {
      const id = idOf(account);
      const { name } = account;
      return id === null ? [] : [{ id, name: `${name ?? id}` }];
    });
  } catch (error) {
    if (!(error instanceof CloudflareRefusal) || !error.isDenied) throw error;
    return [];
  }
}
