/**
 * The `api` task: serves the shop's API on 127.0.0.1:$PORT until SIGINT or SIGTERM, then lets running requests finish.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { dataFolder, openMigratedDatabase } from "../db/database.ts";
import { handleRequest, type Shop } from "./api.ts";
import { OrderFeed } from "./order_feed.ts";

/** How long requests may take to finish after a signal to stop. */
const DRAIN_MS = 2_000;

function readPort(): number {
  const text = Deno.env.get("PORT") ?? "";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) {
    throw new Error(`Cannot listen: PORT is "${text}", it must be 0 to 65535`);
  }
  return port;
}

async function logged(shop: Shop, request: Request): Promise<Response> {
  const startedAt = performance.now();
  const response = await handleRequest(shop, request);
  const { pathname } = new URL(request.url);
  // taskmux asks for this one all the time.
  if (pathname !== "/health") {
    const tookMs = Math.round(performance.now() - startedAt);
    console.log(`${request.method} ${pathname} ${response.status} ${tookMs}ms`);
  }
  return response;
}

async function serve(port: number, db: DatabaseSync): Promise<void> {
  using feed = new OrderFeed(db);
  const currency = Deno.env.get("SHOP_CURRENCY") || "EUR";
  const shop = { db, feed, currency };
  const abort = new AbortController();
  // Before it says that it is ready: whoever reads that may signal at once.
  const stopped = stopSignal();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port,
    signal: abort.signal,
    onListen: ({ port }) =>
      console.log(`api ready on http://127.0.0.1:${port}`),
  }, (request) => logged(shop, request));
  const signal = await stopped;
  console.log(`${signal}: api stopping`);
  // An event stream never finishes by itself.
  feed[Symbol.dispose]();
  const deadline = setTimeout(() => abort.abort(), DRAIN_MS);
  await server.shutdown();
  clearTimeout(deadline);
  console.log("api stopped");
}

function stopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => resolve(signal));
    }
  });
}

async function main(): Promise<void> {
  const port = readPort();
  using db = openMigratedDatabase(dataFolder());
  await serve(port, db);
}

try {
  await main();
  // The signal listeners would keep the process.
  Deno.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
