/**
 * Takes back what was set up at Cloudflare: what it leads to, or all that we made.
 *
 * @module
 */

import type { TunnelRelease } from "../tunnel_provider.ts";
import { applyIngress } from "./apply_ingress.ts";
import type { KnownRecord, KnownTunnel } from "./cloudflare_memory.ts";
import {
  CloudflareRefusal,
  DNS_PERMISSION,
  TUNNEL_PERMISSION,
} from "./cloudflare_refusal.ts";
import type { CloudflareSession } from "./cloudflare_session.ts";
import {
  commentOf,
  contentFor,
  recordById,
  recordPath,
  recordsAt,
  told,
} from "./project_records.ts";
import {
  configurationOf,
  connectorsOf,
  findTunnel,
  tunnelPath,
} from "./found_tunnel.ts";
import { findIntended } from "./project_tunnel.ts";
import { rulesBeside, strangeNames } from "./tunnel_ingress.ts";

/** How long connections of a program that has ended are waited for. Cloudflare drops them by itself soon after. */
const DRAIN_MS = 10_000;

/** Pause between two looks at them. */
const DRAIN_PAUSE_MS = 500;

/** How often a tunnel is deleted that is said to have connections still. */
const DELETE_ATTEMPTS = 4;

/** Sentences about what was done. */
interface Account {
  readonly removed: string[];
  readonly left: string[];
}

/**
 * Has nothing lead here any more; with `prune` what is ours is deleted.
 *
 * @throws {TaskmuxError} E741 if Cloudflare refuses; calling it again goes on.
 */
export async function closeTunnel(
  session: CloudflareSession,
  { prune }: { readonly prune: boolean },
  signal: AbortSignal,
): Promise<TunnelRelease> {
  const account: Account = { removed: [], left: [] };
  if (!prune) {
    await detach(session, account, signal);
    return account;
  }
  await pruneRecords(session, account, signal);
  await adoptIntended(session, signal);
  await pruneTunnels(session, account, signal);
  if (session.facts.tunnel === null && session.facts.former.length === 0) {
    session.learn({ tunnelIntents: [], recordIntents: [], ingress: [] });
  }
  return account;
}

/** Nothing of ours is behind the tunnel any more. */
async function detach(
  session: CloudflareSession,
  { left }: Account,
  signal: AbortSignal,
): Promise<void> {
  const { tunnel, records } = session.facts;
  if (tunnel === null) return;
  if (await findTunnel(session, tunnel, signal) === null) {
    session.learn({ tunnel: null, ingress: [] });
  } else {
    await clearIngress(session, tunnel, signal);
    left.push(`The tunnel "${tunnel.name}", which leads nowhere now`);
  }
  for (const { hostname } of records) {
    left.push(`The DNS record of ${hostname}, so that the name stays yours`);
  }
}

/** @returns Names behind the tunnel that are not ours, and stay. */
async function clearIngress(
  session: CloudflareSession,
  tunnel: KnownTunnel,
  signal: AbortSignal,
): Promise<string[]> {
  const { ingress, records } = session.facts;
  const ours = [...ingress, ...records.map(({ hostname }) => hostname)];
  const configuration = await configurationOf(session, tunnel, signal);
  const kept = rulesBeside(configuration, ours);
  if (configuration !== null) {
    const wish = { tunnel, configuration, targets: [], kept };
    await applyIngress(session, wish, signal);
  }
  return strangeNames(configuration, ours);
}

async function pruneRecords(
  session: CloudflareSession,
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  for (const known of session.facts.records) {
    await pruneRecord(session, { known, account }, signal);
    const { records } = session.facts;
    session.learn({ records: records.filter((other) => other !== known) });
  }
  for (const intent of session.facts.recordIntents) {
    const { zone: id, hostname } = intent;
    const zone = {
      id,
      name: hostname,
      status: "active",
      isPaused: false,
      account: null,
    };
    const found = await recordsAt(session, { hostname, zone }, signal);
    const { tunnel, former } = session.facts;
    const contents = [...tunnel === null ? [] : [tunnel], ...former]
      .map((known) => contentFor(known.id));
    const ours = found.filter(({ type, content, comment }) =>
      type === "CNAME" && contents.includes(content) &&
      comment === commentOf(session)
    );
    for (const record of ours) {
      const known = {
        zone: id,
        id: record.id,
        hostname,
        content: record.content,
      };
      await pruneRecord(session, { known, account }, signal);
    }
    const { recordIntents } = session.facts;
    session.learn({
      recordIntents: recordIntents.filter((other) => other !== intent),
    });
  }
}

async function pruneRecord(
  session: CloudflareSession,
  { known, account: { removed, left } }: {
    readonly known: KnownRecord;
    readonly account: Account;
  },
  signal: AbortSignal,
): Promise<void> {
  const { zone, id, hostname, content } = known;
  const record = await recordById(session, { zone, id }, signal);
  if (record === null) return;
  if (record.type !== "CNAME" || record.content !== content) {
    left.push(
      `The DNS record of ${hostname}: somebody changed it to ${told(record)}`,
    );
    return;
  }
  await session.api.delete({
    path: recordPath(zone, id),
    doing: `delete the DNS record of ${hostname}`,
    needs: DNS_PERMISSION,
  }, signal);
  removed.push(`The DNS record of ${hostname}`);
}

/** A tunnel that we made and did not come to write down is found by its secret. */
async function adoptIntended(
  session: CloudflareSession,
  signal: AbortSignal,
): Promise<void> {
  if (session.facts.tunnelIntents.length === 0) return;
  const made = await findIntended(session, signal);
  const { tunnel, former } = session.facts;
  const isKnown = made === null ||
    [tunnel, ...former].some((other) => other?.id === made.id);
  if (!isKnown) session.learn({ former: [...former, made] });
}

async function pruneTunnels(
  session: CloudflareSession,
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  for (const former of session.facts.former) {
    const isDone = await pruneTunnel(
      session,
      { tunnel: former, account },
      signal,
    );
    if (!isDone) continue;
    const rest = session.facts.former.filter((other) => other !== former);
    session.learn({ former: rest });
  }
  const { tunnel } = session.facts;
  if (tunnel === null) return;
  if (await pruneTunnel(session, { tunnel, account }, signal)) {
    session.learn({ tunnel: null, ingress: [] });
  }
}

/** @returns Whether nothing of ours is left of it. */
async function pruneTunnel(
  session: CloudflareSession,
  { tunnel, account: { removed, left } }: {
    readonly tunnel: KnownTunnel;
    readonly account: Account;
  },
  signal: AbortSignal,
): Promise<boolean> {
  const title = `The tunnel "${tunnel.name}"`;
  if (tunnel.account !== session.account) {
    left.push(
      `${title}: it is in account ${tunnel.account}, and account_id is another one now`,
    );
    return false;
  }
  if (await findTunnel(session, tunnel, signal) === null) return true;
  const strange = await clearIngress(session, tunnel, signal);
  if (!tunnel.isMade) {
    left.push(`${title}: it was there before taskmux used it`);
    return true;
  }
  if (strange.length > 0) {
    left.push(
      `${title}: it leads to ${
        strange.join(", ")
      }, too, which taskmux did not set up`,
    );
    return false;
  }
  if (await deleteTunnel(session, tunnel, signal)) {
    removed.push(title);
    return true;
  }
  left.push(
    `${title}: a program is still connected to it; stop it, then taskmux tunnel disable --prune`,
  );
  return false;
}

/** @returns False if it has connections that do not end. */
async function deleteTunnel(
  session: CloudflareSession,
  tunnel: KnownTunnel,
  signal: AbortSignal,
): Promise<boolean> {
  const { api, context: { clock } } = session;
  const path = tunnelPath(tunnel.account, tunnel.id);
  const until = clock.monotonic() + DRAIN_MS;
  while (
    (await connectorsOf(session, tunnel, signal)).length > 0 &&
    clock.monotonic() < until
  ) await clock.sleep(DRAIN_PAUSE_MS, signal);
  for (let attempt = 1; attempt <= DELETE_ATTEMPTS; attempt++) {
    try {
      const doing = `delete the tunnel "${tunnel.name}"`;
      await api.delete({ path, doing, needs: TUNNEL_PERMISSION }, signal);
      return true;
    } catch (error) {
      if (!(error instanceof CloudflareRefusal) || !error.isBusy) throw error;
    }
    // Connections of programs that ended without a word count for minutes, unless they are cleaned up.
    await api.delete({
      path: `${path}/connections`,
      doing: `end the connections of the tunnel "${tunnel.name}"`,
      needs: TUNNEL_PERMISSION,
    }, signal);
    await clock.sleep(DRAIN_PAUSE_MS, signal);
  }
  return false;
}
