/**
 * The daemon's port on loopback: who may ask at all. What is answered is the business of routes.
 *
 * Any page in any browser of this machine can send requests here, as can every other user. So a request must name this
 * machine, which a page that rebinds DNS does not, and must not come from a page of somebody else.
 *
 * @module
 */

import { VERSION } from "../contract/wire.ts";
import { systemClock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";
import { ConnectionGate, type GateEnds } from "./connection_gate.ts";
import { quoted, RefusalLog } from "./refusal_log.ts";

/** Names by which this machine may be asked. Anything else is a page that rebinds DNS. */
const HOST_REGEXP =
  /^(?:localhost|127\.0\.0\.1|\[::1\]|taskmux\.localhost)(?::\d{1,5})?$/;

/** How long answers that have begun may take when the server ends. */
const LAST_WORDS_MS = 250;

/** Pause before a server that failed is replaced. */
const REOPEN_MS = 1_000;

/** What every answer says: not to be guessed at, embedded, framed, kept or sent on. Never a CORS header. */
const HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "content-security-policy":
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/**
 * Answers what was let in.
 *
 * @returns Null if nothing is at that path. An answer keeps its headers; the port adds what protects it.
 */
export type HttpRoute = (
  request: Request,
  url: URL,
) => Promise<Response> | null;

/** Where to listen. */
export interface HttpOptions {
  readonly route: HttpRoute;
  /** Port on 127.0.0.1; 0 = any free one. */
  readonly port: number;
  /** Path of a Unix socket, in a private folder, that this server has for itself. */
  readonly socketPath: string;
  /** Whether a connection may be used at all, see `GateOptions.admits`. */
  admits?(ends: GateEnds): Promise<boolean>;
  /** See `GateOptions.moreConnections`. */
  moreConnections?(): Promise<number>;
  /** Told of refusals of pages and of names that are not this machine's; not of every one, see {@linkcode RefusalLog}. */
  log(message: string): void;
}

/** A server that listens. Disposal ends it, and every connection at once. */
export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  /** Whether it also listens on ::1. */
  readonly hasIpv6: boolean;
}

/**
 * Listens on loopback, behind a {@linkcode ConnectionGate}.
 *
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export function serveHttp(
  { port, socketPath, route, log, ...who }: HttpOptions,
): HttpServer {
  const closing = new AbortController();
  let server: Deno.HttpServer | null = null;
  const gate = new ConnectionGate({
    port,
    clock: systemClock,
    ...who,
    forward: async () => {
      try {
        return await Deno.connect({ transport: "unix", path: socketPath });
      } catch (error) {
        // Somebody cleaned up. The server is told to end, and the next one makes its socket anew.
        if (error instanceof Deno.errors.NotFound) await server?.shutdown();
        throw error;
      }
    },
  });
  const serving = keepServing(socketPath, {
    signal: closing.signal,
    route,
    refusals: new RefusalLog({ clock: systemClock, log }),
    onServer: (each) => server = each,
  });
  return {
    port: gate.addr.port,
    hasIpv6: gate.hasIpv6,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      // What is being answered still goes out. A connection that goes on longer is cut.
      await settledWithin(serving, {
        clock: systemClock,
        ms: LAST_WORDS_MS,
        signal: new AbortController().signal,
      });
      await gate.drain(LAST_WORDS_MS);
      await gate[Symbol.asyncDispose]();
      await serving;
    },
  };
}

/** Serves until the signal aborts. A server that cannot accept gives up; the daemon does not. */
async function keepServing(
  path: string,
  { signal, route, refusals, onServer }: {
    readonly signal: AbortSignal;
    readonly route: HttpRoute;
    readonly refusals: RefusalLog;
    onServer(server: Deno.HttpServer): void;
  },
): Promise<void> {
  while (!signal.aborted) {
    try {
      removeIfThere(path);
      const server = Deno.serve(
        { path, onListen: () => {}, onError: () => refuse(500, "internal") },
        (request) => answer(request, { route, refusals }),
      );
      onServer(server);
      Deno.chmodSync(path, 0o600);
      const close = (): void => void server.shutdown();
      signal.addEventListener("abort", close, { once: true });
      await server.finished;
    } catch {
      await systemClock.sleep(REOPEN_MS, signal).then(() => {}, () => {});
    }
  }
}

/** Answers one request, if it may ask. */
async function answer(
  request: Request,
  { route, refusals }: {
    readonly route: HttpRoute;
    readonly refusals: RefusalLog;
  },
): Promise<Response> {
  const refusal = refusalOf(request);
  if (refusal !== null) {
    refusals.note(describe(refusal, request));
    return refuse(403, refusal);
  }
  if (!isHarmless(request)) return refuse(415, "unsupported_media_type");
  const url = URL.parse(request.url);
  if (url === null) return refuse(404, "not_found");
  const answered = await route(request, url);
  if (answered !== null) return guarded(answered);
  if (url.pathname !== "/") return refuse(404, "not_found");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(405, "method_not_allowed", { allow: "GET, HEAD" });
  }
  return json({ ok: true, taskmux: "daemon", version: VERSION });
}

/** With what every answer says. The 101 of a WebSocket is given as it is. */
function guarded(response: Response): Response {
  if (response.status === 101) return response;
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

/** Why a request is not heard at all, whatever it asks for; null if it is. */
function refusalOf({ headers, url, method }: Request): string | null {
  if (!HOST_REGEXP.test(headers.get("host") ?? "")) return "forbidden_host";
  // A target that names another machine counts for more than the header.
  const target = URL.parse(url);
  if (target === null) return "forbidden_host";
  if (/^https?:$/.test(target.protocol) && !HOST_REGEXP.test(target.host)) {
    return "forbidden_host";
  }
  // A browser names the page that asks. Only a page of this port may, and there is none yet.
  const origin = headers.get("origin");
  if (origin !== null && origin !== `http://${headers.get("host")}`) {
    return "forbidden_origin";
  }
  // What a page embeds or fetches without CORS has no origin. To follow a link, though, is the user's doing.
  const site = headers.get("sec-fetch-site") ?? "none";
  const isLink = method === "GET" &&
    headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document";
  if (site === "none" || site === "same-origin" || isLink) return null;
  return "forbidden_site";
}

/** For the log: who came, what it called us, and what it wanted. */
function describe(refusal: string, { headers, method, url }: Request): string {
  const host = quoted(headers.get("host") ?? "");
  const origin = quoted(headers.get("origin") ?? "");
  const path = quoted(URL.parse(url)?.pathname ?? "");
  return `a request was refused (${refusal}): ${method} ${path}, Host ${host}, Origin ${origin}`;
}

/** A page sends a form or a beacon without asking before, but no JSON; nor any method beside GET, HEAD and POST. */
function isHarmless({ headers, method }: Request): boolean {
  const type = headers.get("content-type") ?? "";
  return method !== "POST" || /^application\/json\s*(?:;|$)/i.test(type);
}

function refuse(
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return json({ ok: false, error }, { status, headers });
}

function json(
  body: unknown,
  { status = 200, headers = {} }: {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Response {
  return Response.json(body, { status, headers: { ...HEADERS, ...headers } });
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
