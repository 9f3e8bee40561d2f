/**
 * What passes a public gate in fields of a message: to the task as if it had been asked by its own name, to the visitor as
 * if the task had its public one. Pure.
 *
 * @module
 */

import {
  type Field,
  fieldsOf,
  type RawHeaders,
  valuesOf,
} from "./end_to_end_headers.ts";

/** Name of the cookie by which a visitor is known who came by a link. */
export const SESSION_COOKIE = "__Host-taskmux";

/** The two names of a task. */
export interface PublicNames {
  /** `https://…` without a path; null = not known yet. */
  readonly publicUrl: string | null;
  /** Name and port of the task on this machine, as they stand in `Host`. */
  readonly authority: string;
}

/** Fields in which proxies tell an address. They stay where they tell the same one. */
const ADDRESS_NAMES: ReadonlySet<string> = new Set([
  "cf-connecting-ip",
  "cf-connecting-ipv6",
  "cf-pseudo-ipv4",
  "client-ip",
  "fastly-client-ip",
  "true-client-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-real-ip",
]);

/** Fields by which a visitor could claim what only a proxy can say. `Proxy` is what CGI takes for a variable. */
const CLAIMING_NAMES: ReadonlySet<string> = new Set([
  "forwarded",
  "front-end-https",
  "proxy",
  "x-host",
  "x-original-forwarded-for",
  "x-original-host",
  "x-original-url",
  "x-rewrite-url",
]);

/** Fields by which the gate, or the task, knows somebody. */
const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "cookie"]);

const CLAIMING_PREFIX = "x-forwarded-";

/** Fields of an answer that say what caches between us and the visitor may keep. */
const SHARED_CACHE_NAMES: ReadonlySet<string> = new Set([
  "cdn-cache-control",
  "cloudflare-cdn-cache-control",
  "surrogate-control",
]);

/** Directives of `Cache-Control` that let caches keep what is for one visitor. */
const SHARED_DIRECTIVE_REGEXP =
  /^(?:public|private|s-maxage|proxy-revalidate)\b/i;

const ADDRESS_REGEXP = /^[0-9a-f:.]{2,45}$/i;

/**
 * Address of the visitor, as the provider tells it: the last hop of `X-Forwarded-For`, which every provider writes itself,
 * whatever the visitor sent; without one `CF-Connecting-IP`.
 *
 * @returns Null if there is none. In lower case.
 */
export function visitorOf(raw: RawHeaders): string | null {
  const hops = valuesOf(raw, "x-forwarded-for").join(",").split(",");
  const last = hops.at(-1)?.trim() ?? "";
  const told = last === ""
    ? valuesOf(raw, "cf-connecting-ip").at(-1)?.trim() ?? ""
    : last;
  const address = plainAddress(told.toLowerCase());
  return ADDRESS_REGEXP.test(address) ? address : null;
}

/** Without a port, and IPv4 as such where it is written as IPv6. */
function plainAddress(address: string): string {
  const plain = /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? address;
  return /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/.exec(plain)?.[1] ??
    plain;
}

/**
 * Whether a request is for this task: under its public name, its own, or an address. Under any other name it may come from
 * a page that had its name lead here, to read what its visitor's machine alone can reach (DNS rebinding).
 *
 * @param authority As in `Host`.
 */
export function isMeant(authority: string, names: PublicNames): boolean {
  // Nobody knows yet by which name visitors come.
  if (names.publicUrl === null) return true;
  const host = hostOf(authority);
  return host === hostOf(URL.parse(names.publicUrl)?.host ?? "") ||
    host === hostOf(names.authority) || host === "localhost" ||
    host.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/** The fields of a visitor that the task gets, without those by which it could claim to be another. */
export function requestFields(
  raw: RawHeaders,
  { visitor }: { readonly visitor: string | null },
): string[] {
  return mapFields(raw, ([name, value]) => {
    // To servers that make variables of fields an underscore is a hyphen.
    const key = name.toLowerCase().replaceAll("_", "-");
    if (key.startsWith(CLAIMING_PREFIX) || CLAIMING_NAMES.has(key)) return null;
    if (!ADDRESS_NAMES.has(key)) return value;
    return value.toLowerCase() === visitor ? value : null;
  });
}

/** As {@linkcode requestFields}, for what comes behind a body: nothing there says who somebody is. */
export function trailerFields(raw: RawHeaders): string[] {
  const kept = requestFields(raw, { visitor: null });
  return mapFields(
    kept,
    ([name, value]) => CREDENTIALS.has(name.toLowerCase()) ? null : value,
  );
}

/**
 * Has `Origin` of the public name say the task's own: what watches over WebSockets compares it with `Host`, or knows
 * `localhost` alone.
 */
export function withOwnOrigin(raw: RawHeaders, names: PublicNames): string[] {
  return mapFields(raw, ([name, value]) => {
    const isOwn = name.toLowerCase() === "origin" &&
      value.toLowerCase() === names.publicUrl?.toLowerCase();
    return isOwn ? ownOrigin(names.authority) : value;
  });
}

/** What the task is told of the visitor, names and values in turns. */
export function forwardedFields(
  names: PublicNames,
  visitor: string | null,
): string[] {
  const url = names.publicUrl === null ? null : URL.parse(names.publicUrl);
  const host = url?.host ?? names.authority;
  const port = url?.port || "443";
  const node = visitor === null
    ? "unknown"
    : visitor.includes(":")
    ? `"[${visitor}]"`
    : visitor;
  return [
    ...visitor === null ? [] : ["X-Forwarded-For", visitor],
    "X-Forwarded-Proto",
    "https",
    "X-Forwarded-Host",
    host,
    "X-Forwarded-Port",
    port,
    "Forwarded",
    `for=${node};host="${host}";proto=https`,
  ];
}

/** The fields of a task's answer that the visitor gets. @param isGuarded Whether not everybody is let in. */
export function answerFields(
  raw: RawHeaders,
  { names, isGuarded }: {
    readonly names: PublicNames;
    readonly isGuarded: boolean;
  },
): string[] {
  const kept = mapFields(raw, ([name, value]) => {
    switch (name.toLowerCase()) {
      case "location":
      case "content-location":
        return toPublic(value, names);
      case "refresh":
        return value.replace(
          /^([^;,]*[;,]\s*url\s*=\s*['"]?)(.*)$/i,
          (_all, before: string, url: string) => before + toPublic(url, names),
        );
      case "set-cookie":
        return cookieFor(value, names.authority);
      case "cache-control":
        return isGuarded ? null : value;
    }
    return SHARED_CACHE_NAMES.has(name.toLowerCase()) ? null : value;
  });
  const caching = isGuarded
    ? ["Cache-Control", privateCaching(valuesOf(raw, "cache-control"))]
    : [];
  // A server of somebody who develops changes its files, and may be gone in a moment.
  return kept.concat(
    caching,
    ["CDN-Cache-Control", "no-store", "X-Robots-Tag", "noindex"],
  );
}

/** As {@linkcode answerFields}, for the head of an answer as it is sent. */
export function answerHeadText(
  head: string,
  options: { readonly names: PublicNames; readonly isGuarded: boolean },
): string {
  const [first = "", ...lines] = head.trimEnd().split("\r\n");
  const raw = lines.flatMap((line) => {
    const colon = line.indexOf(":");
    return colon === -1
      ? []
      : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const fields = [...fieldsOf(answerFields(raw, options))]
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `${first}\r\n${fields.join("")}\r\n`;
}

/** A field with another value, or none for null. */
function mapFields(
  raw: RawHeaders,
  change: (field: Field) => string | null,
): string[] {
  const kept: string[] = [];
  for (const field of fieldsOf(raw)) {
    const value = change(field);
    if (value !== null) kept.push(field[0], value);
  }
  return kept;
}

/** The origin a browser on this machine would have: plain HTTP for what is no name of the HTTPS proxy. */
function ownOrigin(authority: string): string {
  const isPlain = /^(?:localhost|127\.[\d.]+|\[::1\])(?::\d+)?$/i.test(
    authority,
  );
  return `${isPlain ? "http" : "https"}://${authority}`;
}

function toPublic(url: string, { publicUrl, authority }: PublicNames): string {
  if (publicUrl === null) return url;
  const [, scheme = "", named = ""] =
    /^\s*(https?:)?\/\/([^/?#\s'"]+)/i.exec(url) ?? [];
  if (named === "" || !isSame(named, authority, scheme.toLowerCase())) {
    return url;
  }
  return publicUrl + url.slice(url.indexOf(named) + named.length);
}

/** Whether two authorities are one, where a port that goes without saying may be said. */
function isSame(one: string, other: string, scheme: string): boolean {
  const port = scheme === "http:" ? ":80" : ":443";
  const plain = (authority: string) => {
    const lower = authority.toLowerCase();
    return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
  };
  return plain(one) === plain(other);
}

/** A cookie without the domain of this machine, so that it is the public name's. Null for a name that is ours. */
function cookieFor(cookie: string, authority: string): string | null {
  if (cookie.startsWith(`${SESSION_COOKIE}=`)) return null;
  const host = hostOf(authority);
  const [pair = "", ...attributes] = cookie.split(";");
  const kept = attributes.filter((attribute) => {
    const domain = /^\s*domain\s*=\s*\.?(.*?)\s*$/i.exec(attribute)?.[1]
      ?.toLowerCase();
    return domain === undefined ||
      !(domain === host || host.endsWith(`.${domain}`));
  });
  return [pair, ...kept].join(";");
}

function hostOf(authority: string): string {
  return authority.replace(/:\d*$/, "").toLowerCase();
}

function privateCaching(values: readonly string[]): string {
  const directives = values.join(",").split(",")
    .map((directive) => directive.trim())
    .filter((directive) =>
      directive !== "" && !SHARED_DIRECTIVE_REGEXP.test(directive)
    );
  return ["private", ...directives].join(", ");
}
