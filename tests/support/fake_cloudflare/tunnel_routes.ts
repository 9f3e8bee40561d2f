/**
 * Accounts and their tunnels at the fake Cloudflare API.
 *
 * @module
 */

import { type ApiAnswer, done, noRoute, page, Refusal } from "./answers.ts";
import type { ApiRequest } from "./request.ts";
import { may, requireAccount, requireActive, verifyToken } from "./tokens.ts";
import {
  type FakeIngressRule,
  type FakeToken,
  type FakeTunnel,
  type FakeWorld,
  newSecret,
  now,
} from "./world.ts";

/** What has to hear of changes. */
export interface TunnelWatcher {
  configured(tunnel: FakeTunnel): void;
  /** All its connections are to end: it is gone, or its secret is another one now. */
  cut(tunnel: FakeTunnel): void;
}

/** Answers what lies below `/accounts`. */
export function accountRoutes(
  world: FakeWorld,
  request: ApiRequest,
  watcher: TunnelWatcher,
): ApiAnswer {
  const [, accountId, part, id, more] = request.segments;
  if (accountId === undefined && request.method === "GET") {
    const token = requireActive(request.token, "zones");
    return listAccounts(world, token, request.query);
  }
  if (accountId === undefined || !/^[0-9a-f]{32}$/.test(accountId)) {
    throw noRoute(request.path);
  }
  if (part === "tokens" && id === "verify") {
    return verifyToken(request.token, "account");
  }
  const token = requireActive(request.token, "account");
  if (part === undefined && request.method === "GET") {
    const account = world.accounts.find((found) => found.id === accountId);
    if (account === undefined || !reachesAccount(token, accountId)) {
      throw new Refusal(403, {
        code: 9109,
        message: "Unauthorized to access requested resource",
      });
    }
    return done({ ...account, type: "standard", settings: {} });
  }
  if (part !== "cfd_tunnel") throw noRoute(request.path);
  requireAccount(token, accountId, neededFor(request, more));
  if (!world.accounts.some((found) => found.id === accountId)) {
    throw new Refusal(403, { code: 10000, message: "Authentication error" });
  }
  if (id === undefined) {
    if (request.method === "GET") return listTunnels(world, request);
    if (request.method === "POST") return createTunnel(world, request);
    throw noRoute(request.path);
  }
  const tunnel = world.tunnels.find((found) =>
    found.id === id && found.accountId === accountId
  );
  if (tunnel === undefined) {
    throw new Refusal(404, { code: 1003, message: "Tunnel not found" });
  }
  return tunnelRoutes({ world, request, watcher, tunnel, part: more });
}

/** The token by which a program connects is as good as a change. */
function neededFor(
  request: ApiRequest,
  part: string | undefined,
): "tunnel:read" | "tunnel:edit" {
  return request.method === "GET" && part !== "token"
    ? "tunnel:read"
    : "tunnel:edit";
}

function reachesAccount(token: FakeToken, id: string): boolean {
  return token.accounts === null || token.accounts.has(id);
}

function listAccounts(
  world: FakeWorld,
  token: FakeToken,
  query: URLSearchParams,
): ApiAnswer {
  const isSeen = may(token, "account:read", "tunnel:read");
  const found = world.accounts.filter(({ id, name }) =>
    isSeen && reachesAccount(token, id) &&
    (query.get("name") === null || query.get("name") === name)
  );
  return page(
    found.map((account) => ({ ...account, type: "standard", settings: {} })),
    query,
    { usual: 20, most: world.pageLimit ?? 50, withPages: true },
  );
}

function listTunnels(world: FakeWorld, request: ApiRequest): ApiAnswer {
  const { query, segments } = request;
  const name = query.get("name");
  const deleted = query.get("is_deleted");
  const uuid = query.get("uuid");
  const prefix = query.get("include_prefix");
  const status = query.get("status");
  const found = world.tunnels.filter((tunnel) =>
    tunnel.accountId === segments[1] &&
    (name === null || tunnel.name === name) &&
    (uuid === null || tunnel.id === uuid) &&
    (prefix === null || tunnel.name.startsWith(prefix)) &&
    (status === null || statusOf(tunnel) === status) &&
    (deleted === null || String(tunnel.deleted_at !== null) === deleted)
  );
  return page(world.shown(found).map(tunnelView), query, {
    usual: Math.min(100, world.pageLimit ?? 100),
    most: world.pageLimit ?? 1_000,
    withPages: false,
  });
}

function createTunnel(world: FakeWorld, request: ApiRequest): ApiAnswer {
  const { name, config_src = "local", tunnel_secret } = request.body;
  if (typeof name !== "string" || name === "") {
    throw new Refusal(400, { code: 1005, message: "Tunnel name is required" });
  }
  if (config_src !== "local" && config_src !== "cloudflare") {
    throw new Refusal(400, { code: 1005, message: "Invalid config_src" });
  }
  const accountId = request.segments[1] ?? "";
  requireFreeName(world, { accountId, name });
  const tunnel: FakeTunnel = {
    id: crypto.randomUUID(),
    accountId,
    created_at: now(),
    name,
    secret: typeof tunnel_secret === "string" ? tunnel_secret : newSecret(),
    config_src,
    config: null,
    version: 0,
    deleted_at: null,
    connections: [],
  };
  world.tunnels.push(tunnel);
  world.hide(tunnel.id);
  return done({
    ...tunnelView(tunnel),
    credentials_file: {
      AccountTag: accountId,
      TunnelID: tunnel.id,
      TunnelName: name,
      TunnelSecret: tunnel.secret,
    },
    token: world.runToken(tunnel),
  });
}

function requireFreeName(
  world: FakeWorld,
  wanted: { readonly accountId: string; readonly name: string },
): void {
  const holder = world.tunnels.find((tunnel) =>
    tunnel.accountId === wanted.accountId && tunnel.name === wanted.name &&
    tunnel.deleted_at === null
  );
  if (holder === undefined) return;
  throw new Refusal(409, {
    code: 1013,
    message:
      "You already have a tunnel with this name. Delete the existing tunnel, or choose a different name for your new tunnel",
  });
}

interface OnTunnel {
  readonly world: FakeWorld;
  readonly request: ApiRequest;
  readonly watcher: TunnelWatcher;
  readonly tunnel: FakeTunnel;
  readonly part: string | undefined;
}

function tunnelRoutes(asked: OnTunnel): ApiAnswer {
  const { world, request: { method, path }, tunnel } = asked;
  switch (`${method} ${asked.part ?? ""}`) {
    case "GET ":
      return done(tunnelView(tunnel));
    case "PATCH ":
      return changeTunnel(asked);
    case "DELETE ":
      return deleteTunnel(asked);
    case "GET token":
      requireAlive(tunnel);
      return done(world.runToken(tunnel));
    case "GET connections":
      return done(connectors(tunnel));
    case "DELETE connections":
      // What is connected connects again; what hung there since its program died does not.
      tunnel.connections = [];
      asked.watcher.cut(tunnel);
      return done(null);
    case "GET configurations":
      requireAlive(tunnel);
      if (tunnel.config === null) {
        throw new Refusal(404, {
          code: 1055,
          message: "Configuration for tunnel not found",
        });
      }
      return done(configView(tunnel));
    case "PUT configurations":
      return configureTunnel(asked);
    default:
      throw noRoute(path);
  }
}

function requireAlive(tunnel: FakeTunnel): void {
  if (tunnel.deleted_at === null) return;
  throw new Refusal(404, { code: 1003, message: "Tunnel not found" });
}

function changeTunnel(
  { world, request, tunnel, watcher }: OnTunnel,
): ApiAnswer {
  requireAlive(tunnel);
  const { name, tunnel_secret } = request.body;
  if (typeof name === "string" && name !== tunnel.name) {
    requireFreeName(world, { accountId: tunnel.accountId, name });
    tunnel.name = name;
  }
  if (typeof tunnel_secret === "string") {
    tunnel.secret = tunnel_secret;
    watcher.cut(tunnel);
  }
  return done(tunnelView(tunnel));
}

function deleteTunnel({ tunnel, watcher, request }: OnTunnel): ApiAnswer {
  requireAlive(tunnel);
  const cascades = request.query.get("cascade") === "true";
  if (tunnel.connections.length > 0 && !cascades) {
    throw new Refusal(400, {
      code: 1022,
      message:
        "This tunnel has active connections. Please stop all cloudflared replicas, or wait a few minutes for connections to close, then try again.",
    });
  }
  tunnel.deleted_at = now();
  tunnel.connections = [];
  watcher.cut(tunnel);
  return done(tunnelView(tunnel));
}

function configureTunnel({ request, tunnel, watcher }: OnTunnel): ApiAnswer {
  requireAlive(tunnel);
  const { config } = request.body;
  const ingress = typeof config === "object" && config !== null &&
      "ingress" in config && Array.isArray(config.ingress)
    ? config.ingress as readonly FakeIngressRule[]
    : null;
  const flaw = ingress === null ? "No ingress rules" : flawOf(ingress);
  if (ingress === null || flaw !== null) {
    throw new Refusal(400, {
      code: 1056,
      message: `Bad Configuration: ${flaw}`,
    });
  }
  tunnel.config = { ...config as Record<string, unknown>, ingress };
  tunnel.config_src = "cloudflare";
  tunnel.version++;
  watcher.configured(tunnel);
  return done(configView(tunnel));
}

/** What the real program, too, refuses in a configuration. */
function flawOf(ingress: readonly FakeIngressRule[]): string | null {
  const last = ingress.at(-1);
  if (last === undefined) return "No ingress rules were specified";
  for (const [index, rule] of ingress.entries()) {
    const { hostname = "", path = "", service } = rule;
    if (typeof service !== "string") return `Rule #${index + 1} has no service`;
    if (!/^(https?|unix|tcp|ssh|http_status):/.test(service)) {
      return `${service} is an invalid address, please make sure it has a scheme and a hostname`;
    }
    if (rule !== last && hostname === "" && path === "") {
      return `Rule #${
        index + 1
      } is matching the hostname '', but this will match every hostname, meaning the rules which follow it will never be triggered.`;
    }
  }
  return (last.hostname ?? "") === "" && (last.path ?? "") === ""
    ? null
    : "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)";
}

function statusOf(tunnel: FakeTunnel): string {
  if (tunnel.connections.length === 0) return "inactive";
  return tunnel.connections.length < 4 ? "degraded" : "healthy";
}

function tunnelView(tunnel: FakeTunnel): Record<string, unknown> {
  return {
    id: tunnel.id,
    account_tag: tunnel.accountId,
    created_at: tunnel.created_at,
    deleted_at: tunnel.deleted_at,
    name: tunnel.name,
    // As documented: they are told by an endpoint of their own.
    connections: [],
    conns_active_at: tunnel.connections[0]?.opened_at ?? null,
    conns_inactive_at: tunnel.connections.length > 0 ? null : now(),
    tun_type: "cfd_tunnel",
    metadata: {},
    status: statusOf(tunnel),
    remote_config: tunnel.config_src === "cloudflare",
    config_src: tunnel.config_src,
  };
}

/** Connections by the program that holds them. */
function connectors(tunnel: FakeTunnel): unknown {
  const ids = new Set(tunnel.connections.map((found) => found.client_id));
  return [...ids].map((id) => {
    const conns = tunnel.connections.filter((found) => found.client_id === id);
    return {
      id,
      arch: "linux_amd64",
      version: conns[0]?.client_version,
      run_at: conns[0]?.opened_at,
      config_version: tunnel.version,
      features: [],
      conns,
    };
  });
}

function configView(tunnel: FakeTunnel): unknown {
  return {
    tunnel_id: tunnel.id,
    account_id: tunnel.accountId,
    version: tunnel.version,
    config: tunnel.config,
    source: tunnel.config_src,
    created_at: tunnel.created_at,
  };
}
