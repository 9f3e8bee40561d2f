/**
 * What there is at the fake Cloudflare: accounts, zones, records, tunnels, tokens.
 *
 * @module
 */

/** A customer. */
export interface FakeAccount {
  readonly id: string;
  readonly name: string;
}

/** A domain. */
export interface FakeZone {
  readonly id: string;
  readonly name: string;
  readonly accountId: string;
  readonly status: "active" | "pending";
}

/** A DNS record. */
export interface FakeRecord {
  readonly id: string;
  readonly zoneId: string;
  readonly zoneName: string;
  readonly created_on: string;
  name: string;
  type: string;
  content: string;
  proxied: boolean;
  ttl: number;
  comment: string | null;
  tags: readonly string[];
  modified_on: string;
}

/** A connection of a program to the edge. */
export interface FakeConnection {
  readonly id: string;
  readonly client_id: string;
  readonly client_version: string;
  readonly colo_name: string;
  readonly opened_at: string;
  readonly origin_ip: string;
  readonly is_pending_reconnect: false;
}

/** A rule of a tunnel's configuration. */
export interface FakeIngressRule {
  readonly hostname?: string;
  readonly path?: string;
  readonly service: string;
  readonly originRequest?: Readonly<Record<string, unknown>>;
}

/** A tunnel. */
export interface FakeTunnel {
  readonly id: string;
  readonly accountId: string;
  readonly created_at: string;
  name: string;
  /** Base64 of 32 bytes. */
  secret: string;
  config_src: "cloudflare" | "local";
  config: { readonly ingress: readonly FakeIngressRule[] } | null;
  /** Of the configuration; rises with each change. */
  version: number;
  deleted_at: string | null;
  connections: readonly FakeConnection[];
}

/** What a token may do. */
export type FakeScope =
  | "account:read"
  | "tunnel:read"
  | "tunnel:edit"
  | "zone:read"
  | "dns:read"
  | "dns:edit";

/** A token of the API. */
export interface FakeToken {
  readonly id: string;
  /** The secret itself. */
  readonly value: string;
  readonly owner: "user" | "account";
  readonly scopes: ReadonlySet<FakeScope>;
  /** Ids; null = all. */
  readonly accounts: ReadonlySet<string> | null;
  readonly zones: ReadonlySet<string> | null;
  status: "active" | "disabled" | "expired" | "revoked";
}

/** All of it. */
export class FakeWorld {
  readonly accounts: FakeAccount[] = [];
  readonly zones: FakeZone[] = [];
  readonly records: FakeRecord[] = [];
  readonly tunnels: FakeTunnel[] = [];
  readonly tokens: FakeToken[] = [];
  /** How many lists do not show a thing after it was made. */
  lagReads = 0;
  /** The most that is on a page; null = as documented. */
  pageLimit: number | null = null;
  readonly #hidden = new Map<string, number>();

  /** Adds what has just been made by a request: lists show it late. */
  hide(id: string): void {
    if (this.lagReads > 0) this.#hidden.set(id, this.lagReads);
  }

  /** What a list shows. Each thing that it should have shown comes one step nearer. */
  shown<T extends { readonly id: string }>(all: readonly T[]): readonly T[] {
    return all.filter(({ id }) => {
      const left = this.#hidden.get(id) ?? 0;
      if (left > 1) this.#hidden.set(id, left - 1);
      else this.#hidden.delete(id);
      return left === 0;
    });
  }

  /** The token of a tunnel, by which a program connects. */
  runToken(tunnel: FakeTunnel): string {
    return btoa(
      JSON.stringify({ a: tunnel.accountId, t: tunnel.id, s: tunnel.secret }),
    );
  }

  /** The tunnel that a public name leads to by DNS; null = the name leads nowhere, or elsewhere. */
  tunnelOfName(name: string): FakeTunnel | null {
    const record = this.records.find((found) =>
      found.name === name && found.type === "CNAME" && found.proxied
    );
    const id = /^([0-9a-f-]{36})\.cfargotunnel\.com$/.exec(
      record?.content ?? "",
    )
      ?.[1];
    return this.tunnels.find((tunnel) =>
      tunnel.id === id && tunnel.deleted_at === null
    ) ?? null;
  }
}

/** Id as those of accounts, zones, records and tokens: 32 digits. */
export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/** 32 bytes as a tunnel's secret. */
export function newSecret(): string {
  return btoa(
    String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))),
  );
}

/** Now, as the API writes it. */
export function now(): string {
  return new Date().toISOString().replace(/Z$/, "000Z");
}
