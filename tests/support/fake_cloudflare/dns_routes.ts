/**
 * Zones and DNS records of the fake Cloudflare API.
 *
 * @module
 */

import { type ApiAnswer, done, noRoute, page, Refusal } from "./answers.ts";
import type { ApiRequest } from "./request.ts";
import { may, reachesZone, requireActive, requireZone } from "./tokens.ts";
import {
  type FakeRecord,
  type FakeToken,
  type FakeWorld,
  type FakeZone,
  newId,
  now,
} from "./world.ts";

/** Answers what lies below `/zones`. */
export function zoneRoutes(world: FakeWorld, request: ApiRequest): ApiAnswer {
  const token = requireActive(request.token, "zones");
  const [, zoneId, part, recordId] = request.segments;
  if (zoneId === undefined) {
    if (request.method !== "GET") throw noRoute(request.path);
    return listZones(world, token, request.query);
  }
  if (!/^[0-9a-f]{32}$/.test(zoneId)) throw noRoute(request.path);
  const zone = world.zones.find(({ id }) => id === zoneId);
  if (part === undefined && request.method === "GET") {
    requireZone(token, zoneId, "zone:read", "dns:read");
    return done(zoneView(world, zone ?? unknownZone()));
  }
  if (part !== "dns_records") throw noRoute(request.path);
  requireZone(
    token,
    zoneId,
    request.method === "GET" ? "dns:read" : "dns:edit",
  );
  if (zone === undefined) unknownZone();
  return recordRoutes(world, zone, request, recordId);
}

function unknownZone(): never {
  throw new Refusal(404, { code: 1001, message: "Invalid zone identifier" });
}

/** Only zones that the token reaches; without the scope there are none, which is no error. */
function listZones(
  world: FakeWorld,
  token: FakeToken,
  query: URLSearchParams,
): ApiAnswer {
  const name = query.get("name");
  const account = query.get("account.id");
  const status = query.get("status");
  const found = world.zones.filter((zone) =>
    may(token, "zone:read", "dns:read") && reachesZone(token, zone.id) &&
    (name === null || zone.name === name) &&
    (account === null || zone.accountId === account) &&
    (status === null || zone.status === status)
  );
  return page(
    world.shown(found).map((zone) => zoneView(world, zone)),
    query,
    { usual: 20, most: world.pageLimit ?? 50, withPages: true },
  );
}

function zoneView(world: FakeWorld, zone: FakeZone): unknown {
  const account = world.accounts.find(({ id }) => id === zone.accountId);
  return {
    id: zone.id,
    name: zone.name,
    status: zone.status,
    paused: false,
    type: "full",
    development_mode: 0,
    name_servers: ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
    account: { id: zone.accountId, name: account?.name ?? "" },
    plan: { id: "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", name: "Free Website" },
  };
}

function recordRoutes(
  world: FakeWorld,
  zone: FakeZone,
  request: ApiRequest,
  recordId: string | undefined,
): ApiAnswer {
  if (recordId === undefined) {
    if (request.method === "GET") return listRecords(world, zone, request);
    if (request.method === "POST") return createRecord(world, zone, request);
    throw noRoute(request.path);
  }
  const record = world.records.find((found) =>
    found.id === recordId && found.zoneId === zone.id
  );
  if (record === undefined) {
    throw new Refusal(404, { code: 81044, message: "Record does not exist." });
  }
  switch (request.method) {
    case "GET":
      return done(recordView(record));
    case "PATCH":
    case "PUT":
      return changeRecord(world, record, request);
    case "DELETE":
      world.records.splice(world.records.indexOf(record), 1);
      return done({ id: record.id });
    default:
      throw noRoute(request.path);
  }
}

function listRecords(
  world: FakeWorld,
  zone: FakeZone,
  { query }: ApiRequest,
): ApiAnswer {
  const tests: ((record: FakeRecord) => boolean)[] = [];
  for (const key of ["name", "type", "content", "comment"] as const) {
    const exact = query.get(key) ?? query.get(`${key}.exact`);
    if (exact !== null) {
      tests.push((record) =>
        record[key]?.toLowerCase() === exact.toLowerCase()
      );
    }
    const part = query.get(`${key}.contains`);
    if (part !== null) {
      tests.push((record) => record[key]?.includes(part) === true);
    }
  }
  const proxied = query.get("proxied");
  if (proxied !== null) {
    tests.push((record) => String(record.proxied) === proxied);
  }
  const isAny = query.get("match") === "any";
  const found = world.records.filter((record) =>
    record.zoneId === zone.id && (tests.length === 0 ||
      (isAny
        ? tests.some((test) => test(record))
        : tests.every((test) => test(record))))
  );
  return page(world.shown(found).map(recordView), query, {
    usual: Math.min(100, world.pageLimit ?? 100),
    most: world.pageLimit ?? 5_000,
    withPages: true,
  });
}

function createRecord(
  world: FakeWorld,
  zone: FakeZone,
  { body }: ApiRequest,
): ApiAnswer {
  const at = now();
  const record: FakeRecord = {
    id: newId(),
    zoneId: zone.id,
    zoneName: zone.name,
    created_on: at,
    modified_on: at,
    ...readRecord(zone.name, body),
  };
  requireRoom(world, record);
  world.records.push(record);
  world.hide(record.id);
  return done(recordView(record));
}

/** PATCH keeps what is not said, PUT takes it from the defaults. */
function changeRecord(
  world: FakeWorld,
  record: FakeRecord,
  { body, method }: ApiRequest,
): ApiAnswer {
  const said = method === "PATCH" ? { ...record, ...body } : body;
  const next = readRecord(record.zoneName, said);
  requireRoom(world, { ...record, ...next });
  Object.assign(record, next, { modified_on: now() });
  return done(recordView(record));
}

type RecordFields = Omit<
  FakeRecord,
  "id" | "zoneId" | "zoneName" | "created_on" | "modified_on"
>;

/** A name that does not end with the zone's is taken as one below it, as the real one does. */
function readRecord(
  zoneName: string,
  body: Readonly<Record<string, unknown>>,
): RecordFields {
  const { type, name, content, ttl = 1, proxied = false } = body;
  const { comment = null, tags = [] } = body;
  if (typeof type !== "string" || !/^(A|AAAA|CNAME|TXT|MX|NS)$/.test(type)) {
    throw invalid(9004, "Record type is invalid.");
  }
  if (typeof name !== "string" || !/^[a-z0-9@_*.-]{1,253}$/i.test(name)) {
    throw invalid(9000, "DNS name is invalid.");
  }
  if (typeof content !== "string" || !isContent(type, content)) {
    throw invalid(
      type === "CNAME" ? 9007 : 9005,
      `Content for ${type} record is invalid.`,
    );
  }
  if (typeof ttl !== "number" || (ttl !== 1 && (ttl < 60 || ttl > 86_400))) {
    throw invalid(
      9021,
      "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
    );
  }
  if (typeof proxied !== "boolean") {
    throw invalid(9003, "Invalid 'proxied' value, must be a boolean.");
  }
  if (
    comment !== null && (typeof comment !== "string" || comment.length > 100)
  ) {
    throw invalid(9300, "Comment is longer than 100 characters.");
  }
  if (!Array.isArray(tags) || tags.length > 0) {
    throw invalid(9301, "DNS record has 1 tags, exceeding the quota of 0.");
  }
  const lower = name.toLowerCase();
  const isWhole = lower === zoneName || lower.endsWith(`.${zoneName}`);
  return {
    type,
    name: lower === "@" ? zoneName : isWhole ? lower : `${lower}.${zoneName}`,
    content,
    proxied,
    // A record that is proxied has no time of its own.
    ttl: proxied ? 1 : ttl,
    comment,
    tags,
  };
}

function isContent(type: string, content: string): boolean {
  if (type === "A") return /^\d{1,3}(\.\d{1,3}){3}$/.test(content);
  if (type === "AAAA") return /^[0-9a-f:]+$/i.test(content);
  if (type === "CNAME") return /^[a-z0-9_.-]{1,253}$/i.test(content);
  return content !== "";
}

function invalid(code: number, message: string): Refusal {
  return new Refusal(400, {
    code: 1004,
    message: "DNS Validation Error",
    error_chain: [{ code, message }],
  });
}

/** A name has either one CNAME, or any number of addresses that differ. */
function requireRoom(world: FakeWorld, wanted: FakeRecord): void {
  const beside = world.records.filter((record) =>
    record.id !== wanted.id && record.zoneId === wanted.zoneId &&
    record.name === wanted.name
  );
  const twin = beside.find((record) =>
    record.type === wanted.type && record.content === wanted.content
  );
  if (twin !== undefined) {
    throw new Refusal(400, {
      code: 81058,
      message: "An identical record already exists.",
    });
  }
  const isHost = (record: FakeRecord): boolean =>
    /^(A|AAAA|CNAME)$/.test(record.type);
  if (wanted.type === "CNAME" && beside.some(isHost)) {
    throw new Refusal(400, {
      code: 81053,
      message: "An A, AAAA, or CNAME record with that host already exists.",
    });
  }
  if (isHost(wanted) && beside.some((record) => record.type === "CNAME")) {
    throw new Refusal(400, {
      code: 81054,
      message: "A CNAME record with that host already exists.",
    });
  }
}

function recordView(record: FakeRecord): unknown {
  const { zoneId: zone_id, zoneName: zone_name, ...rest } = record;
  return {
    ...rest,
    zone_id,
    zone_name,
    proxiable: /^(A|AAAA|CNAME)$/.test(record.type),
    settings: {},
    meta: {},
  };
}
