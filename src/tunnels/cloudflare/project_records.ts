/**
 * The DNS records that lead public names to the tunnel of a project.
 *
 * A record is ours if we made it and it still says what we wrote. Nothing else is ever changed or removed:
 * docs/decisions/0032.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { JsonObject } from "../../kit/json.ts";
import { idOf } from "./cloudflare_api.ts";
import type { CloudflareFacts, RecordIntent } from "./cloudflare_memory.ts";
import {
  CloudflareRefusal,
  DNS_PERMISSION,
  isObject,
} from "./cloudflare_refusal.ts";
import {
  type CloudflareSession,
  VISIBLE_PAUSES_MS,
} from "./cloudflare_session.ts";
import type { PublicName } from "./public_names.ts";

/** Records that are asked for at once. */
const PAGE_SIZE = 100;

/** How often a name is looked at, at most, until it leads where it should. */
const MAX_ROUNDS = 3;

/** Longest comment that every plan of Cloudflare takes. */
const MAX_COMMENT_LENGTH = 100;

/** A DNS record as it is there. */
export interface FoundRecord {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly isProxied: boolean;
  readonly comment: string | null;
}

/** How it is with the records of a name. */
export type RecordVerdict =
  /** The name is free. */
  | { readonly kind: "absent" }
  /** It leads to our tunnel, or may be made to. */
  | {
    readonly kind: "ours";
    readonly record: FoundRecord;
    /** Whether we made it. */
    readonly isMade: boolean;
    /** Whether it does what it should. */
    readonly isRight: boolean;
  }
  | {
    readonly kind: "foreign";
    readonly record: FoundRecord;
    readonly reason: string;
  };

/** What a record has to say. */
export function contentFor(tunnelId: string): string {
  return `${tunnelId}.cfargotunnel.com`;
}

/** All records at a name, of every type. @throws {CloudflareRefusal} */
export async function recordsAt(
  session: CloudflareSession,
  { hostname, zone }: PublicName,
  signal: AbortSignal,
): Promise<FoundRecord[]> {
  const found = await session.api.list(
    {
      path: recordPath(zone.id),
      query: { "name.exact": hostname },
      doing: `read the DNS records of ${hostname}`,
      needs: DNS_PERMISSION,
    },
    PAGE_SIZE,
    signal,
  );
  return found.map(toRecord).filter((record) =>
    record !== null && record.name === hostname
  ).filter((record) => record !== null);
}

/**
 * Tells whose the records at a name are. Pure.
 *
 * @param content What a record has to say; null if there is no tunnel yet.
 */
export function judgeRecords(
  records: readonly FoundRecord[],
  { name, content, facts, comment }: {
    readonly name: PublicName;
    readonly content: string | null;
    readonly facts: CloudflareFacts;
    readonly comment: string;
  },
): RecordVerdict {
  // Cloudflare answers for a proxied name itself, so mail and text records may stay beside it.
  const leading = records.filter(({ type }) =>
    /^(?:A|AAAA|CNAME)$/.test(type) ||
    type === "NS" && name.hostname !== name.zone.name
  );
  const isIntended = facts.recordIntents.some((intent) => isFor(intent, name));
  const verdicts = leading.map((record): RecordVerdict => {
    const known = facts.records.find(({ id }) => id === record.id);
    const isLead = record.type === "CNAME" && content !== null &&
      record.content === content;
    const isMade = known !== undefined ||
      isLead && isIntended && record.comment === comment;
    if (isLead && (record.isProxied || isMade)) {
      return { kind: "ours", record, isMade, isRight: record.isProxied };
    }
    if (isLead) {
      return foreign(
        record,
        "leads to this tunnel, but is not proxied, so that it leads nowhere",
      );
    }
    if (known === undefined) return foreign(record, whatItIs(record));
    return record.type === "CNAME" && record.content === known.content
      ? { kind: "ours", record, isMade: true, isRight: false }
      : foreign(
        record,
        "was made by taskmux and was changed by somebody since",
      );
  });
  return verdicts.find(({ kind }) => kind === "foreign") ?? verdicts[0] ??
    { kind: "absent" };
}

/**
 * Has a name lead to the tunnel.
 *
 * @throws {TaskmuxError} E741 if something else has the name, or Cloudflare refuses.
 */
export async function ensureRecord(
  session: CloudflareSession,
  { name, content }: {
    readonly name: PublicName;
    readonly content: string;
  },
  signal: AbortSignal,
): Promise<void> {
  let refusal: CloudflareRefusal | null = null;
  let verdict = await judgeName(session, { name, content }, signal);
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    if (verdict.kind === "foreign") throw foreignError(name, verdict);
    if (verdict.kind === "ours") {
      return await setRight(session, { name, content, verdict }, signal);
    }
    refusal = await create(session, { name, content }, signal);
    if (refusal === null) return;
    if (!refusal.isTaken && !refusal.isUncertain) throw refusal;
    verdict = await lookFor(session, { name, content }, signal);
    if (verdict.kind === "absent" && refusal.isTaken) throw refusal;
  }
  throw refusal ?? new TypeError("No round was made");
}

/**
 * Looks whether a name can lead to our tunnel, before anything is made for it.
 *
 * @param wanted With null as content if there is no tunnel yet.
 * @returns Whether it leads there already.
 * @throws {TaskmuxError} E741 if something else has the name.
 */
export async function requireRoom(
  session: CloudflareSession,
  { name, content }: {
    readonly name: PublicName;
    readonly content: string | null;
  },
  signal: AbortSignal,
): Promise<boolean> {
  const verdict = await judgeName(session, { name, content }, signal);
  if (verdict.kind === "foreign") throw foreignError(name, verdict);
  if (verdict.kind === "absent" || !verdict.isRight || content === null) {
    return false;
  }
  if (verdict.isMade) keep(session, { name, content, id: verdict.record.id });
  return true;
}

/** The comment by which people know our records in the dashboard. */
export function commentOf({ context }: CloudflareSession): string {
  return `Made by taskmux for project ${context.projectId}`
    .slice(0, MAX_COMMENT_LENGTH);
}

/** What is to be done about a record that is not ours. */
export function foreignFix({ hostname }: PublicName): string {
  return `Delete that record in the dashboard if nobody needs it, or choose another public_hostname than ${hostname}`;
}

/** One record by its id; null if it is gone. @throws {CloudflareRefusal} */
export async function recordById(
  session: CloudflareSession,
  { zone, id }: { readonly zone: string; readonly id: string },
  signal: AbortSignal,
): Promise<FoundRecord | null> {
  try {
    return toRecord(
      await session.api.get({
        path: recordPath(zone, id),
        doing: "look at a DNS record of this project",
        needs: DNS_PERMISSION,
      }, signal),
    );
  } catch (error) {
    if (error instanceof CloudflareRefusal && error.isMissing) return null;
    throw error;
  }
}

/** Path of the records of a zone, or of one of them. */
export function recordPath(zone: string, id?: string): string {
  const path = `/zones/${encodeURIComponent(zone)}/dns_records`;
  return id === undefined ? path : `${path}/${encodeURIComponent(id)}`;
}

interface Wanted {
  readonly name: PublicName;
  readonly content: string;
}

async function judgeName(
  session: CloudflareSession,
  { name, content }: Pick<Wanted, "name"> & { readonly content: string | null },
  signal: AbortSignal,
): Promise<RecordVerdict> {
  const { facts } = session;
  const comment = commentOf(session);
  const records = await recordsAt(session, name, signal);
  return judgeRecords(records, { name, content, facts, comment });
}

/** Waits until what was just made is shown. */
async function lookFor(
  session: CloudflareSession,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<RecordVerdict> {
  for (const pause of VISIBLE_PAUSES_MS) {
    if (pause > 0) await session.context.clock.sleep(pause, signal);
    const verdict = await judgeName(session, wanted, signal);
    if (verdict.kind !== "absent") return verdict;
  }
  return { kind: "absent" };
}

/** Makes the record. @returns The refusal, if there is one, for the caller to judge. */
async function create(
  session: CloudflareSession,
  { name, content }: Wanted,
  signal: AbortSignal,
): Promise<CloudflareRefusal | null> {
  const { hostname, zone } = name;
  const others = session.facts.recordIntents.filter((intent) =>
    !isFor(intent, name)
  );
  session.learn({ recordIntents: [...others, { zone: zone.id, hostname }] });
  try {
    const answer = await session.api.post({
      path: recordPath(zone.id),
      body: bodyOf(session, { name, content }),
      doing: `make the DNS record of ${hostname}`,
      needs: DNS_PERMISSION,
    }, signal);
    const id = isObject(answer) ? idOf(answer) : null;
    if (id === null) return missingId(hostname);
    keep(session, { name, content, id });
    return null;
  } catch (error) {
    if (!(error instanceof CloudflareRefusal)) throw error;
    // What an earlier attempt may have made stays in mind.
    if (!error.isUncertain && !error.isTaken) {
      session.learn({ recordIntents: others });
    }
    return error;
  }
}

function bodyOf(
  session: CloudflareSession,
  { name, content }: Wanted,
): JsonObject {
  return {
    type: "CNAME",
    name: name.hostname,
    content,
    proxied: true,
    // Cloudflare chooses: there is no other for a proxied record.
    ttl: 1,
    comment: commentOf(session),
  };
}

/** What we made is set right; what leads here already needs nothing. */
async function setRight(
  session: CloudflareSession,
  { name, content, verdict }: Wanted & {
    readonly verdict: Extract<RecordVerdict, { readonly kind: "ours" }>;
  },
  signal: AbortSignal,
): Promise<void> {
  const { record, isMade, isRight } = verdict;
  if (!isRight) {
    await session.api.patch({
      path: recordPath(name.zone.id, record.id),
      body: bodyOf(session, { name, content }),
      doing: `have the DNS record of ${name.hostname} lead to the tunnel`,
      needs: DNS_PERMISSION,
    }, signal);
  }
  if (isMade) keep(session, { name, content, id: record.id });
}

function keep(
  session: CloudflareSession,
  { name, content, id }: Wanted & { readonly id: string },
): void {
  const { records, recordIntents } = session.facts;
  const { hostname, zone } = name;
  session.learn({
    records: [
      ...records.filter((known) => known.id !== id && !isFor(known, name)),
      { zone: zone.id, id, hostname, content },
    ],
    recordIntents: recordIntents.filter((intent) => !isFor(intent, name)),
  });
}

function foreignError(
  name: PublicName,
  { record, reason }: Extract<RecordVerdict, { readonly kind: "foreign" }>,
): TaskmuxError {
  return new TaskmuxError(
    "E741",
    `Cannot have ${name.hostname} lead here: its DNS record ${
      told(record)
    } ${reason}`,
    { hint: foreignFix(name) },
  );
}

function missingId(hostname: string): CloudflareRefusal {
  return new CloudflareRefusal({
    doing: `make the DNS record of ${hostname}`,
    reason: "garbled",
    status: 200,
    codes: [],
    words: "the answer names no record",
    isUncertain: true,
    needs: DNS_PERMISSION,
  });
}

/** A record in a sentence. */
export function told({ type, content }: FoundRecord): string {
  const short = content.length > 80 ? `${content.slice(0, 80)}…` : content;
  return `${type} ${short}`;
}

function whatItIs({ type, content }: FoundRecord): string {
  return type === "CNAME" && content.endsWith(".cfargotunnel.com")
    ? "leads to another tunnel"
    : "was not made by taskmux";
}

function foreign(record: FoundRecord, reason: string): RecordVerdict {
  return { kind: "foreign", record, reason };
}

function isFor(
  known: RecordIntent,
  { hostname, zone }: PublicName,
): boolean {
  return known.zone === zone.id && known.hostname === hostname;
}

function toRecord(item: unknown): FoundRecord | null {
  if (!isObject(item)) return null;
  const { id, type, name, content, proxied, comment }: JsonObject = item;
  if (
    typeof id !== "string" || typeof type !== "string" ||
    typeof name !== "string"
  ) return null;
  return {
    id,
    type,
    name: name.toLowerCase(),
    content: typeof content === "string" ? content : "",
    isProxied: proxied === true,
    comment: typeof comment === "string" ? comment : null,
  };
}
