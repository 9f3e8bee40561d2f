/**
 * What is remembered of a project at Cloudflare: which things there are ours, and which we were about to make.
 *
 * An intent is written before the request that makes something, so that after a crash in between it is known for ours.
 * Holds ids, names and hashes, never a secret.
 *
 * @module
 */

import type { Json, JsonObject } from "../../kit/json.ts";
import type { TunnelMemory } from "../tunnel_provider.ts";
import { isObject, listOf } from "./cloudflare_refusal.ts";

/** A tunnel that is used for this project. */
export interface KnownTunnel {
  readonly account: string;
  readonly id: string;
  readonly name: string;
  /** Whether we made it, so that we may delete it. */
  readonly isMade: boolean;
  /** Unix milliseconds: since when it is known. What is new may not be seen everywhere yet. */
  readonly since: number;
}

/** A DNS record that we made. */
export interface KnownRecord {
  readonly zone: string;
  readonly id: string;
  readonly hostname: string;
  /** Where we had it point last. */
  readonly content: string;
}

/** A tunnel that we were about to make. */
export interface TunnelIntent {
  readonly account: string;
  readonly name: string;
  /** SHA-256 of its secret, in hexadecimal: whoever holds a tunnel with this secret holds ours. */
  readonly secretHash: string;
}

/** A DNS record that we were about to make. */
export interface RecordIntent {
  readonly zone: string;
  readonly hostname: string;
}

/** All of it. */
export interface CloudflareFacts {
  readonly tunnel: KnownTunnel | null;
  /** Tunnels that we made and use no more, until they are pruned. */
  readonly former: readonly KnownTunnel[];
  readonly tunnelIntents: readonly TunnelIntent[];
  readonly records: readonly KnownRecord[];
  readonly recordIntents: readonly RecordIntent[];
  /** Hostnames that we put into the tunnel's ingress. */
  readonly ingress: readonly string[];
}

/** What is remembered of a project that was never public. */
const NO_FACTS: CloudflareFacts = {
  tunnel: null,
  former: [],
  tunnelIntents: [],
  records: [],
  recordIntents: [],
  ingress: [],
};

/** Most things of one kind; the oldest go first. */
const MAX_THINGS = 200;

/** Reads what is remembered; what is malformed is left out. */
export function recall(memory: TunnelMemory): CloudflareFacts {
  const saved = memory.load();
  if (saved === null) return NO_FACTS;
  return {
    tunnel: toTunnel(saved.tunnel),
    former: each(saved.former, toTunnel),
    tunnelIntents: each(saved.tunnel_intents, toTunnelIntent),
    records: each(saved.records, toRecord),
    recordIntents: each(saved.record_intents, toRecordIntent),
    ingress: each(
      saved.ingress,
      (name) => typeof name === "string" ? name : null,
    ),
  };
}

/** Writes it down; nothing at all if nothing is left. */
export function remember(memory: TunnelMemory, facts: CloudflareFacts): void {
  const { tunnel, former, tunnelIntents, records, recordIntents, ingress } =
    facts;
  const isEmpty = tunnel === null &&
    [former, tunnelIntents, records, recordIntents, ingress]
      .every((list) => list.length === 0);
  memory.save(
    isEmpty ? null : {
      tunnel: tunnel === null ? null : fromTunnel(tunnel),
      former: former.slice(-MAX_THINGS).map(fromTunnel),
      tunnel_intents: tunnelIntents.slice(-MAX_THINGS).map((intent) => ({
        account: intent.account,
        name: intent.name,
        secret_hash: intent.secretHash,
      })),
      records: records.slice(-MAX_THINGS).map((record) => ({ ...record })),
      record_intents: recordIntents.slice(-MAX_THINGS).map((intent) => ({
        ...intent,
      })),
      ingress: ingress.slice(-MAX_THINGS),
    },
  );
}

function fromTunnel(
  { account, id, name, isMade, since }: KnownTunnel,
): JsonObject {
  return { account, id, name, made: isMade, since };
}

function toTunnel(value: Json | undefined): KnownTunnel | null {
  const texts = textsOf(value, ["account", "id", "name"]);
  if (texts === null || !isObject(value)) return null;
  const { made, since } = value;
  return {
    ...texts,
    isMade: made === true,
    since: typeof since === "number" ? since : 0,
  };
}

function toTunnelIntent(value: Json | undefined): TunnelIntent | null {
  const texts = textsOf(value, ["account", "name", "secret_hash"]);
  return texts === null ? null : {
    account: texts.account,
    name: texts.name,
    secretHash: texts.secret_hash,
  };
}

function toRecord(value: Json | undefined): KnownRecord | null {
  return textsOf(value, ["zone", "id", "hostname", "content"]);
}

function toRecordIntent(value: Json | undefined): RecordIntent | null {
  return textsOf(value, ["zone", "hostname"]);
}

function textsOf<Key extends string>(
  value: Json | undefined,
  keys: readonly Key[],
): Record<Key, string> | null {
  if (!isObject(value)) return null;
  const texts: Partial<Record<Key, string>> = {};
  for (const key of keys) {
    const text = value[key];
    if (typeof text !== "string") return null;
    texts[key] = text;
  }
  return texts as Record<Key, string>;
}

function each<T>(
  value: Json | undefined,
  parse: (item: Json) => T | null,
): T[] {
  return listOf(value).flatMap((item) => {
    const parsed = parse(item);
    return parsed === null ? [] : [parsed];
  });
}
