/**
 * The far side of tunnels: where requests to public names arrive, and where the programs that carry them connect. One for
 * all providers. Public names need no DNS: a request says in `Host` whom it wants.
 *
 * @module
 */

import type {
  FakeConnection,
  FakeTunnel,
  FakeWorld,
} from "./fake_cloudflare/world.ts";
import { newId, now } from "./fake_cloudflare/world.ts";
import {
  type EdgeLink,
  type EdgeMessage,
  type Hello,
  messageLines,
  sendMessage,
} from "./fake_edge/messages.ts";
import {
  answerText,
  close,
  headerOf,
  readHead,
  relayRequest,
  type RequestHead,
  withHeaders,
} from "./fake_edge/relay.ts";

/** A program that is connected. */
export interface EdgeConnector {
  readonly hello: Hello;
  /** The name it was given; null = DNS says which names lead here. */
  readonly hostname: string | null;
  readonly tunnelId: string | null;
  readonly links: readonly EdgeLink[];
  readonly conn: Deno.Conn;
}

/** A request with this header comes from a device of the tailnet. */
export const FROM_TAILNET = "fake-from-tailnet";

const LOCATIONS = ["fra08", "ams12", "fra14", "ams07"];

/** See the module. Disposal ends every connection. */
export class FakeEdge implements AsyncDisposable {
  /** Authtokens that the fake ngrok takes; null = any. */
  authtokens: ReadonlySet<string> | null = null;
  /** Whether connections of programs that are gone are still told of, as after a crash: until they are cleaned up. */
  lingers = false;
  readonly #public = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #control = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connectors = new Set<EdgeConnector>();
  readonly #conns = new Set<Deno.Conn>();
  readonly #running: Promise<void>[] = [];
  #world: FakeWorld | null = null;
  #isPaused = false;
  #refusal: { error: string; retry: boolean } | null = null;

  /** Opens one. */
  static open(): Promise<FakeEdge> {
    const edge = new FakeEdge();
    edge.#running.push(edge.#accept(edge.#public, (conn) => edge.#pass(conn)));
    edge.#running.push(
      edge.#accept(edge.#control, (conn) => edge.#connect(conn)),
    );
    return Promise.resolve(edge);
  }

  /** Takes public requests, in plain HTTP. */
  get port(): number {
    return (this.#public.addr as Deno.NetAddr).port;
  }

  /** For `FAKE_EDGE` in the environment of the fake programs. */
  get control(): string {
    return `127.0.0.1:${(this.#control.addr as Deno.NetAddr).port}`;
  }

  /** The programs that are connected now. */
  get connectors(): readonly EdgeConnector[] {
    return [...this.#connectors];
  }

  /** Lets named tunnels of a fake Cloudflare arrive here. */
  serveTunnels(world: FakeWorld): void {
    this.#world = world;
  }

  /** Nobody gets an answer any more who connects; who is connected stays. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Whoever connects from now on is refused. */
  refuse(error: string, retry = true): void {
    this.#refusal = { error, retry };
  }

  /** Ends {@linkcode pause} and {@linkcode refuse}. Who waits has to connect again. */
  resume(): void {
    this.#isPaused = false;
    this.#refusal = null;
    const taken = new Set([...this.#connectors].map(({ conn }) => conn));
    for (const conn of this.#conns) if (!taken.has(conn)) close(conn);
  }

  /** Ends the connections of programs: they connect again by themselves. */
  drop(which: (connector: EdgeConnector) => boolean = () => true): void {
    for (const connector of this.connectors.filter(which)) {
      close(connector.conn);
    }
  }

  /** Lets programs end as if they had failed. */
  async kill(
    code: number,
    which: (connector: EdgeConnector) => boolean = () => true,
  ): Promise<void> {
    for (const { conn } of this.connectors.filter(which)) {
      await sendMessage(conn, { type: "die", code });
    }
  }

  /** The edge tells the programs of a tunnel its rules. */
  configured(tunnel: FakeTunnel): void {
    for (const { conn } of this.#of(tunnel.id)) {
      this.#running.push(sendMessage(conn, configOf(tunnel)));
    }
  }

  /** Ends all connections of a tunnel. */
  cut(tunnel: FakeTunnel): void {
    for (const { conn } of this.#of(tunnel.id)) close(conn);
  }

  #of(tunnelId: string): readonly EdgeConnector[] {
    return this.connectors.filter((found) => found.tunnelId === tunnelId);
  }

  async #accept(
    listener: Deno.TcpListener,
    take: (conn: Deno.Conn) => Promise<void>,
  ): Promise<void> {
    while (true) {
      const conn = await accepted(listener);
      if (conn === null) return;
      this.#conns.add(conn);
      this.#running.push(
        take(conn).finally(() => {
          close(conn);
          this.#conns.delete(conn);
        }),
      );
    }
  }

  /** A request of the public. */
  async #pass(client: Deno.Conn): Promise<void> {
    const head = await readHead(client);
    if (head === null) return;
    const name = (headerOf(head, "host") ?? "").toLowerCase();
    const isInside = headerOf(head, FROM_TAILNET) !== null;
    const found = this.#find(name, isInside);
    if (typeof found === "string") {
      await answerText(client, "530 <none>", found);
      return;
    }
    const { port } = found.hello;
    const target = { hostname: "127.0.0.1", port };
    const sent = forwarded(head, found.hello.program);
    if (!await relayRequest(client, sent, target)) {
      await answerText(client, "502 Bad Gateway", "error code: 502");
    }
  }

  /** The program behind a name, or what the public is told instead. */
  #find(name: string, isInside: boolean): EdgeConnector | string {
    const [host = ""] = name.split(":");
    const given = this.connectors.findLast(({ hostname, hello }) =>
      hostname === name &&
      (isInside || hello.program !== "tailscale" || hello.isPublic)
    );
    if (given !== undefined) return given;
    const tunnel = this.#world?.tunnelOfName(host) ?? null;
    if (tunnel === null) return "error code: 1016";
    return this.#of(tunnel.id).at(-1) ?? "error code: 1033";
  }

  /** A program that connects. */
  async #connect(conn: Deno.Conn): Promise<void> {
    let connector: EdgeConnector | null = null;
    try {
      for await (const message of messageLines(conn)) {
        if (this.#isPaused) continue;
        const hello = message as Hello;
        if (hello.program === "tailscale" && hello.served === null) {
          await sendMessage(conn, {
            type: "serving",
            sessions: this.#served(),
          });
          return;
        }
        connector = await this.#admit(hello, conn);
        if (connector === null) return;
      }
    } finally {
      if (connector !== null) this.#forget(connector);
    }
  }

  async #admit(hello: Hello, conn: Deno.Conn): Promise<EdgeConnector | null> {
    const tunnel = hello.program === "cloudflared" && hello.token !== null
      ? this.#tunnelOf(hello.token)
      : null;
    const refusal = this.#refusal ??
      (typeof tunnel === "string"
        ? { error: tunnel, retry: true }
        : this.#refusalOf(hello));
    if (refusal !== null || typeof tunnel === "string") {
      await sendMessage(conn, {
        type: "refused",
        ...refusal ?? { error: "", retry: false },
      });
      return null;
    }
    const connector: EdgeConnector = {
      hello,
      conn,
      hostname: hostnameOf(hello),
      tunnelId: tunnel?.id ?? null,
      links: newLinks(tunnel === null ? 1 : 4),
    };
    this.#connectors.add(connector);
    if (tunnel !== null) {
      tunnel.connections = [...tunnel.connections, ...connectionsOf(connector)];
    }
    const { hostname, tunnelId, links } = connector;
    await sendMessage(conn, { type: "registered", hostname, tunnelId, links });
    // A tunnel whose rules are kept elsewhere gets none from here.
    if (tunnel !== null && tunnel.config_src === "cloudflare") {
      await sendMessage(conn, configOf(tunnel));
    }
    return connector;
  }

  /** The tunnel of a token, or the words of the refusal. */
  #tunnelOf(token: string): FakeTunnel | string {
    const { t, s } = JSON.parse(atob(token)) as { t: string; s: string };
    const tunnel = this.#world?.tunnels.find(({ id }) => id === t);
    if (tunnel === undefined || tunnel.deleted_at !== null) {
      return "Unauthorized: Tunnel not found";
    }
    return tunnel.secret === s ? tunnel : "Unauthorized: Invalid tunnel secret";
  }

  #refusalOf(hello: Hello): { error: string; retry: boolean } | null {
    const isTaken = hostnameOf(hello) !== null &&
      this.connectors.some(({ hostname }) => hostname === hostnameOf(hello));
    switch (hello.program) {
      case "cloudflared":
        return null;
      case "ngrok":
        if (this.authtokens?.has(hello.authtoken) === false) {
          return { error: "ERR_NGROK_107", retry: false };
        }
        return isTaken ? { error: "ERR_NGROK_334", retry: false } : null;
      case "tailscale":
        return isTaken
          ? {
            error:
              `sending serve config: updating config: listener already exists for port ${
                hello.served?.split(":")[1]
              }`,
            retry: false,
          }
          : null;
    }
  }

  /** What the programs of tailscale serve. */
  #served(): (EdgeMessage & { type: "serving" })["sessions"] {
    return this.connectors.flatMap(({ hello }) =>
      hello.program === "tailscale" && hello.served !== null
        ? [{
          served: hello.served,
          isPublic: hello.isPublic,
          target: hello.target,
        }]
        : []
    );
  }

  #forget(connector: EdgeConnector): void {
    this.#connectors.delete(connector);
    if (this.lingers) return;
    const ids = new Set(connector.links.map(({ id }) => id));
    const tunnel = this.#world?.tunnels.find(({ id }) =>
      id === connector.tunnelId
    );
    if (tunnel === undefined) return;
    tunnel.connections = tunnel.connections.filter(({ id }) => !ids.has(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#public);
    close(this.#control);
    for (const conn of this.#conns) close(conn);
    await Promise.all(this.#running);
  }
}

/** What the edge tells of the visitor; what the visitor says of himself there does not count. */
function forwarded(head: RequestHead, program: Hello["program"]): RequestHead {
  const before = headerOf(head, "x-forwarded-for");
  const visitor = "203.0.113.7";
  const common = {
    "x-forwarded-for": before === null ? visitor : `${before},${visitor}`,
    "x-forwarded-proto": "https",
  };
  if (program !== "cloudflared") {
    const host = headerOf(head, "host");
    return withHeaders(head, { ...common, "x-forwarded-host": host });
  }
  return withHeaders(head, {
    ...common,
    "cf-connecting-ip": visitor,
    "cf-ipcountry": "DE",
    "cf-ray": `${newId().slice(0, 16)}-FRA`,
    "cf-visitor": '{"scheme":"https"}',
    "cdn-loop": "cloudflare; loops=1",
  });
}

function configOf(tunnel: FakeTunnel): EdgeMessage {
  return { type: "config", version: tunnel.version, config: tunnel.config };
}

function newLinks(count: number): readonly EdgeLink[] {
  return Array.from({ length: count }, (_, index) => ({
    id: crypto.randomUUID(),
    ip: `198.41.${index % 2 === 0 ? 192 : 200}.${13 + index * 10}`,
    location: LOCATIONS[index] ?? "fra01",
  }));
}

function connectionsOf(connector: EdgeConnector): readonly FakeConnection[] {
  const { hello, links } = connector;
  return links.map(({ id, location }) => ({
    id,
    client_id: hello.program === "cloudflared" ? hello.connectorId : "",
    client_version: hello.program === "cloudflared" ? hello.version : "",
    colo_name: location,
    opened_at: now(),
    origin_ip: "192.0.2.1",
    is_pending_reconnect: false,
  }));
}

/** The name of what has none of its own. */
function hostnameOf(hello: Hello): string | null {
  switch (hello.program) {
    case "cloudflared":
      if (hello.token !== null) return null;
      return hello.hostname ?? `fake-${words()}.trycloudflare.com`;
    case "ngrok":
      return hello.hostname ?? `${newId().slice(0, 12)}.ngrok-free.app`;
    case "tailscale":
      return hello.served?.replace(/:443$/, "") ?? null;
  }
}

/** Three words of four letters, other ones each time. */
function words(): string {
  const letters = newId().replace(
    /\d/g,
    (digit) => String.fromCharCode(103 + Number(digit)),
  );
  return [0, 4, 8].map((at) => letters.slice(at, at + 4)).join("-");
}

/** The next connection; null = it listens no more. Who is gone before he was seen is none. */
async function accepted(listener: Deno.TcpListener): Promise<Deno.Conn | null> {
  while (true) {
    try {
      return await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.NotConnected) continue;
      const isOver = error instanceof Deno.errors.BadResource ||
        error instanceof Deno.errors.Interrupted;
      if (!isOver) throw error;
      return null;
    }
  }
}
