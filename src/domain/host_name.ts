/**
 * The names under which tasks are served: `api.shop.localhost`, and back again.
 *
 * Pure. The last label before the managed top-level domain is the id of a project, everything before it a host in it.
 *
 * @module
 */

/** The host of a project's own name, as it stands in `taskmux.toml`. */
export const APEX = "@";

/** The host of every name that no other host has. */
export const CATCH_ALL = "*";

/** Longest name of DNS (RFC 1035 §2.3.4), without the final dot. */
const MAX_NAME_LENGTH = 253;

const LABEL_REGEXP = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A name below a project's. */
export interface HostName {
  readonly projectId: string;
  /** One label or several, or {@linkcode APEX}. */
  readonly host: string;
}

/**
 * What a name means.
 *
 * @param name Any case, with or without a final dot, without a port.
 * @param tld The managed top-level domain.
 * @returns Null if it is no name of ours: another domain, an address, or no name at all.
 */
export function parseHostName(name: string, tld: string): HostName | null {
  const plain = name.toLowerCase().replace(/\.$/, "");
  if (plain.length > MAX_NAME_LENGTH || !plain.endsWith(`.${tld}`)) return null;
  const labels = plain.slice(0, -tld.length - 1).split(".");
  if (!labels.every((label) => LABEL_REGEXP.test(label))) return null;
  const projectId = labels.pop() ?? "";
  return { projectId, host: labels.length === 0 ? APEX : labels.join(".") };
}

/** The name of a `Host` header or an authority: what is before its port. Null if it is malformed. */
export function nameOfAuthority(authority: string): string | null {
  const [, name] = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/
    .exec(authority) ?? [];
  return name ?? null;
}

/** The full name of a host, in lower case; of a catch-all with a `*`. */
export function fullHostName(
  { projectId, host }: HostName,
  tld: string,
): string {
  const base = `${projectId}.${tld}`.toLowerCase();
  return host === APEX ? base : `${host.toLowerCase()}.${base}`;
}
