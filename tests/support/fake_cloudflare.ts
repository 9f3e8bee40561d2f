/**
 * A Cloudflare for tests: its API of version 4, as its public documentation tells of it, on a port of 127.0.0.1, and an
 * edge at which tunnels arrive. What it does not know is refused as the real one refuses an address that leads nowhere.
 *
 * @module
 */

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { type ApiAnswer, noRoute, Refusal } from "./fake_cloudflare/answers.ts";
import { zoneRoutes } from "./fake_cloudflare/dns_routes.ts";
import {
  answerFault,
  type FaultAnswer,
  type FaultMatch,
  Faults,
} from "./fake_cloudflare/faults.ts";
import { BASE_PATH, readApiRequest } from "./fake_cloudflare/request.ts";
import { verifyToken } from "./fake_cloudflare/tokens.ts";
import { accountRoutes } from "./fake_cloudflare/tunnel_routes.ts";
import {
  type FakeAccount,
  type FakeIngressRule,
  type FakeRecord,
  type FakeScope,
  type FakeToken,
  type FakeTunnel,
  FakeWorld,
  type FakeZone,
  newId,
  newSecret,
  now,
} from "./fake_cloudflare/world.ts";
import { FakeEdge } from "./fake_edge.ts";

/** What is there from the start. */
export interface FakeCloudflareOptions {
  /** Names of the first account's zones; `example.com` where nothing is said. */
  readonly zones?: readonly string[];
  /** How many lists do not show a thing after it was made: what is made is seen late. */
  readonly lagReads?: number;
  /** The most that is on a page of any list. */
  readonly pageLimit?: number;
}

/** A request that came. Never holds a token, only its id. */
export interface ApiVisit {
  readonly method: string;
  /** Below `/client/v4`, without the query. */
  readonly path: string;
  readonly query: string;
  /** Null = nobody's. */
  readonly tokenId: string | null;
  /** Null = it had none, or none of JSON. */
  readonly body: unknown;
  readonly userAgent: string | null;
  /** Null = no answer was given. */
  readonly status: number | null;
}

/** How many requests there may be. */
export interface RateLimit {
  /** So many are answered. */
  readonly after: number;
  /** So many are refused then; all where nothing is said. */
  readonly refusals?: number;
  /** What `Retry-After` says, in seconds; null = it is not there. */
  readonly retryAfter?: number | null;
}

/** The scopes that the documentation of taskmux asks for. */
export const DOCUMENTED_SCOPES: readonly FakeScope[] = [
  "tunnel:edit",
  "dns:edit",
];

/** See the module. */
export class FakeCloudflare implements AsyncDisposable {
  readonly world: FakeWorld = new FakeWorld();
  /** Where public names lead. */
  readonly edge: FakeEdge;
  /** Every request, in the order in which they were answered. */
  readonly journal: ApiVisit[] = [];
  readonly #faults = new Faults();
  readonly #server: Server;
  #limit:
    | { after: number; refusals: number; retryAfter: number | null }
    | null = null;

  private constructor(edge: FakeEdge) {
    this.edge = edge;
    this.#server = createServer((request, response) => {
      // The client may go away amid its request; then there is nobody to answer.
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  /** Opens one with an account that has zones. */
  static async open(
    options: FakeCloudflareOptions = {},
  ): Promise<FakeCloudflare> {
    const cloudflare = new FakeCloudflare(await FakeEdge.open());
    cloudflare.edge.serveTunnels(cloudflare.world);
    const account = cloudflare.addAccount("Acme");
    for (const name of options.zones ?? ["example.com"]) {
      cloudflare.addZone(name, account);
    }
    cloudflare.world.lagReads = options.lagReads ?? 0;
    cloudflare.world.pageLimit = options.pageLimit ?? null;
    const { promise, resolve } = Promise.withResolvers<void>();
    cloudflare.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    return cloudflare;
  }

  /** For `TASKMUX_CLOUDFLARE_API`. */
  get base(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      throw new Error("Cannot tell the fake API's port: it is closed");
    }
    return `http://127.0.0.1:${address.port}${BASE_PATH}`;
  }

  /** The first account. */
  get account(): FakeAccount {
    return need(this.world.accounts[0], "an account");
  }

  /** The first zone. */
  get zone(): FakeZone {
    return need(this.world.zones[0], "a zone");
  }

  get records(): readonly FakeRecord[] {
    return this.world.records;
  }

  /** Without those that were deleted. */
  get tunnels(): readonly FakeTunnel[] {
    return this.world.tunnels.filter((tunnel) => tunnel.deleted_at === null);
  }

  /** The requests that changed something. */
  get changes(): readonly ApiVisit[] {
    return this.journal.filter(({ method, status }) =>
      method !== "GET" && status !== null && status < 400
    );
  }

  addAccount(name: string): FakeAccount {
    const account = { id: newId(), name };
    this.world.accounts.push(account);
    return account;
  }

  addZone(name: string, account: FakeAccount = this.account): FakeZone {
    const zone: FakeZone = {
      id: newId(),
      name,
      accountId: account.id,
      status: "active",
    };
    this.world.zones.push(zone);
    return zone;
  }

  /** A record that somebody else made, unless it says otherwise. Its zone is that of its name. */
  addRecord(
    given: Partial<FakeRecord> & Pick<FakeRecord, "name" | "content">,
  ): FakeRecord {
    const zone = need(
      this.world.zones.find(({ name }) =>
        given.name === name || given.name.endsWith(`.${name}`)
      ),
      `a zone of ${given.name}`,
    );
    const record: FakeRecord = {
      id: newId(),
      zoneId: zone.id,
      zoneName: zone.name,
      created_on: now(),
      modified_on: now(),
      type: "CNAME",
      proxied: true,
      ttl: 1,
      comment: null,
      tags: [],
      ...given,
    };
    this.world.records.push(record);
    return record;
  }

  /** A tunnel that somebody else made, unless it says otherwise. */
  addTunnel(given: Partial<FakeTunnel> & Pick<FakeTunnel, "name">): FakeTunnel {
    const tunnel: FakeTunnel = {
      id: crypto.randomUUID(),
      accountId: this.account.id,
      created_at: now(),
      secret: newSecret(),
      config_src: "cloudflare",
      config: null,
      version: 0,
      deleted_at: null,
      connections: [],
      ...given,
    };
    this.world.tunnels.push(tunnel);
    return tunnel;
  }

  /** The rules of a tunnel, by its name; null = there is none, or it has none yet. */
  ingressOf(name: string): readonly FakeIngressRule[] | null {
    const tunnel = this.tunnels.find((found) => found.name === name);
    return tunnel?.config?.ingress ?? null;
  }

  /** A new token: with {@linkcode DOCUMENTED_SCOPES} on everything where nothing else is said. */
  token(options: {
    readonly scopes?: readonly FakeScope[];
    readonly accounts?: readonly FakeAccount[];
    readonly zones?: readonly FakeZone[];
    readonly status?: FakeToken["status"];
    /** A token of an account is none of a user: `/user/tokens/verify` does not know it. */
    readonly owner?: FakeToken["owner"];
  } = {}): FakeToken {
    const ids = (all?: readonly { id: string }[]): Set<string> | null =>
      all === undefined ? null : new Set(all.map(({ id }) => id));
    const token: FakeToken = {
      id: newId(),
      value: `cft_${newId()}${newId().slice(0, 8)}`,
      owner: options.owner ?? "user",
      scopes: new Set(options.scopes ?? DOCUMENTED_SCOPES),
      accounts: ids(options.accounts),
      zones: ids(options.zones),
      status: options.status ?? "active",
    };
    this.world.tokens.push(token);
    return token;
  }

  /** From now on nobody's. */
  revoke(token: FakeToken): void {
    token.status = "revoked";
  }

  /** Makes requests fail: the n-th from now on, or the next that match. */
  fail(match: number | FaultMatch, answer: FaultAnswer = {}): void {
    this.#faults.add(match, answer);
  }

  /** No more faults and no limit. */
  heal(): void {
    this.#faults.clear();
    this.#limit = null;
  }

  /** Answers 429 from some request on. */
  limit(limit: RateLimit): void {
    this.#limit = {
      after: limit.after,
      refusals: limit.refusals ?? Infinity,
      retryAfter: limit.retryAfter === undefined ? 1 : limit.retryAfter,
    };
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    let text = "";
    request.setEncoding("utf8");
    for await (const part of request) text += part;
    const method = request.method ?? "GET";
    const url = new URL(request.url ?? "/", "http://fake");
    const path = url.pathname.slice(BASE_PATH.length);
    const note = (status: number | null): void =>
      void this.journal.push({
        method,
        path,
        query: url.search.slice(1),
        tokenId: this.#tokenId(request),
        body: parsed(text),
        userAgent: request.headers["user-agent"] ?? null,
        status,
      });
    const fault = this.#faults.take(method, path);
    if (fault !== null) {
      const isLate = fault.body === "late";
      note(isLate ? this.#answer(request, text).status : fault.status ?? null);
      answerFault(fault, request, response);
      return;
    }
    const answer = this.#answer(request, text);
    note(answer.status);
    response.writeHead(answer.status, {
      "content-type": "application/json",
      "cf-ray": `${newId().slice(0, 16)}-FRA`,
      "server": "cloudflare",
      ...answer.headers,
    });
    response.end(JSON.stringify(answer.body));
  }

  #answer(request: IncomingMessage, text: string): ApiAnswer {
    try {
      this.#requireRate();
      if (!request.url?.startsWith(`${BASE_PATH}/`)) {
        throw noRoute(request.url ?? "/");
      }
      const asked = readApiRequest(this.world, request, text);
      switch (asked.segments[0]) {
        case "user":
          if (asked.path !== "/user/tokens/verify") throw noRoute(asked.path);
          return verifyToken(asked.token, "user");
        case "accounts":
          return accountRoutes(this.world, asked, this.edge);
        case "zones":
          return zoneRoutes(this.world, asked);
        default:
          throw noRoute(asked.path);
      }
    } catch (error) {
      if (error instanceof Refusal) return error.answer();
      throw error;
    }
  }

  #requireRate(): void {
    const limit = this.#limit;
    if (limit === null) return;
    if (limit.after > 0) limit.after--;
    else if (limit.refusals > 0) {
      limit.refusals--;
      throw new Refusal(
        429,
        {
          code: 10429,
          message: "Please wait and consider throttling your request speed",
        },
        limit.retryAfter === null
          ? {}
          : { "retry-after": String(limit.retryAfter) },
      );
    }
  }

  #tokenId(request: IncomingMessage): string | null {
    const value = request.headers.authorization?.slice("Bearer ".length);
    return this.world.tokens.find((token) => token.value === value)?.id ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.edge[Symbol.asyncDispose]();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }
}

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    throw new Error(`Cannot find ${what}: there is none`);
  }
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
