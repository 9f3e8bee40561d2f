/**
 * Checks of the account at Cloudflare, of what the token may do there, and of the tunnel.
 *
 * @module
 */

import { sourceText } from "../../config/tunnel_settings.ts";
import type { TunnelCheck, TunnelTarget } from "../tunnel_provider.ts";
import { failed, passed } from "./check_answer.ts";
import { idOf } from "./cloudflare_api.ts";
import {
  ADDRESS_FIX,
  CloudflareRefusal,
  TOKEN_PAGE,
  TUNNEL_PERMISSION,
} from "./cloudflare_refusal.ts";
import type { CloudflareSession } from "./cloudflare_session.ts";
import type { Zone } from "./hostname_zone.ts";
import { contentFor } from "./project_records.ts";
import { runTokenOf } from "./found_tunnel.ts";
import { judgeTunnel, type TunnelVerdict } from "./project_tunnel.ts";

/** Most accounts that the API lists at once. */
const PAGE_SIZE = 50;

/** Most accounts that are named in a sentence. */
const MAX_NAMED = 5;

/** What was found of the tunnel. */
export interface TunnelFindings {
  /** About what the token may do. */
  readonly scope: readonly TunnelCheck[];
  /** About the tunnel itself. */
  readonly checks: readonly TunnelCheck[];
  /** What records have to say to lead to it; null = there is none yet, undefined = it cannot be told. */
  readonly content: string | null | undefined;
  /** Whether Cloudflare says that there can be no such account. */
  readonly isNoAccount: boolean;
}

/** What is found where nothing could be asked. */
export const NO_TUNNEL: TunnelFindings = {
  scope: [],
  checks: [],
  content: undefined,
  isNoAccount: false,
};

/** Whether the account is set. Where it is not, the one that it must be is looked for. */
export async function checkAccount(
  session: CloudflareSession,
  { zones, isNoAccount }: {
    readonly zones: readonly Zone[];
    readonly isNoAccount: boolean;
  },
  signal: AbortSignal,
): Promise<TunnelCheck[]> {
  const { accountId } = session.context.cloudflare;
  if (accountId.value !== null && !isNoAccount) {
    return [
      passed(
        "account_id",
        `${accountId.value}, ${sourceText(accountId.source)}`,
      ),
    ];
  }
  const seen = await seenAccounts(session, zones, signal);
  const [only] = seen;
  const detail = accountId.value === null
    ? "account_id is not set"
    : `"${accountId.value}" is no account of Cloudflare`;
  const set = "taskmux tunnel config-set --scope global account_id=";
  if (only === undefined) {
    return [failed("account_id", {
      detail,
      fix:
        `${set}ID, where ID stands in the address of the dashboard, after dash.cloudflare.com/`,
    })];
  }
  if (seen.length === 1) {
    return [failed("account_id", { detail, fix: `${set}${only}` })];
  }
  return [failed("account_id", {
    detail: `${detail}, and the token sees several: ${
      seen.slice(0, MAX_NAMED).join(", ")
    }`,
    fix: `${set}ONE-OF-THEM`,
  })];
}

/** Whether the token may use tunnels, and whether that of the project is ours, free, or somebody's. @throws {CloudflareRefusal} */
export async function checkTunnel(
  session: CloudflareSession,
  targets: readonly TunnelTarget[],
  signal: AbortSignal,
): Promise<TunnelFindings> {
  try {
    const verdict = await judgeTunnel(session, targets, signal);
    if (verdict.kind === "ours" || verdict.kind === "free") {
      // Whoever may have a tunnel's token may change the tunnel, too.
      await runTokenOf(session, verdict.tunnel, signal);
    }
    return findings(session, verdict);
  } catch (error) {
    if (!(error instanceof CloudflareRefusal)) throw error;
    if (error.isUnroutable) return { ...NO_TUNNEL, isNoAccount: true };
    if (!error.isDenied) throw error;
    const { account } = session;
    const scope = failed("scope_tunnel", {
      detail: error.message,
      fix: error.isElsewhere
        ? ADDRESS_FIX
        : `Give the token the permission "${TUNNEL_PERMISSION}" for account ${account} at ${TOKEN_PAGE}; if that is the wrong account: taskmux tunnel config-set --scope global account_id=ID`,
    });
    return { ...NO_TUNNEL, scope: [scope] };
  }
}

function findings(
  session: CloudflareSession,
  verdict: TunnelVerdict,
): TunnelFindings {
  const name = `tunnel:${session.tunnelName}`;
  const of = (
    scope: string,
    check: TunnelCheck,
    content: string | null,
  ): TunnelFindings => ({
    scope: [passed("scope_tunnel", scope)],
    checks: [check],
    content,
    isNoAccount: false,
  });
  const read =
    "the token may read tunnels; whether it may make one shows when one is made";
  switch (verdict.kind) {
    case "absent":
      return of(read, passed(name, "it will be made"), null);
    case "foreign":
      return of(
        read,
        failed(name, {
          detail: `the tunnel "${verdict.tunnel.name}" ${verdict.reason}`,
          fix: verdict.fix,
        }),
        null,
      );
    case "ours":
    case "free": {
      const { id } = verdict.tunnel;
      const detail = verdict.kind === "ours"
        ? `${id} is this project's`
        : `${id} is there and nobody uses it: it will be used`;
      return of(
        "the token may use tunnels",
        passed(name, detail),
        contentFor(id),
      );
    }
  }
}

/** Ids of the accounts that the token can see, or that its zones belong to. */
async function seenAccounts(
  session: CloudflareSession,
  zones: readonly Zone[],
  signal: AbortSignal,
): Promise<string[]> {
  const owners = zones.flatMap(({ account }) =>
    account === null ? [] : [account]
  );
  try {
    const listed = await session.api.list(
      {
        path: "/accounts",
        doing: "list the accounts that the API token sees",
      },
      PAGE_SIZE,
      signal,
    );
    const ids = listed.flatMap((account) => idOf(account) ?? []);
    return [...new Set([...ids, ...owners])];
  } catch (error) {
    // Tokens need not be allowed to see accounts.
    if (!(error instanceof CloudflareRefusal) || !error.isDenied) throw error;
    return [...new Set(owners)];
  }
}
