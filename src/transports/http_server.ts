/**
 * The daemon's port on loopback. For now it only tells that it is there; what it refuses is the point.
 *
 * @module
 */

import { VERSION } from "../contract/wire.ts";

/** Names by which this machine may be asked. Anything else is a page that rebinds DNS. */
const HOST_REGEXP =
  /^(?:localhost|127\.0\.0\.1|\[::1\]|taskmux\.localhost)(?::\d{1,5})?$/;

/**
 * Listens on loopback.
 *
 * @param port 0 = any free one.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export function serveHttp(port: number): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({
    hostname: "127.0.0.1",
    port,
    onListen: () => {},
  }, answer);
}

/** Answers one request. Pure: no state is read or changed. */
export function answer(request: Request): Response {
  const host = request.headers.get("host") ?? "";
  if (!HOST_REGEXP.test(host)) return refuse(403, "forbidden_host");
  // A browser names the page that asks; no page may.
  if (request.headers.has("origin")) return refuse(403, "forbidden_origin");
  if (new URL(request.url).pathname !== "/") return refuse(404, "not_found");
  return Response.json({ ok: true, taskmux: "daemon", version: VERSION });
}

function refuse(status: number, error: string): Response {
  return Response.json({ ok: false, error }, { status });
}
