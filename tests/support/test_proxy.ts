/**
 * The proxy of the daemon with a router of the test's own.
 *
 * @module
 */

import { createServer, type Server } from "node:net";
import { Authority } from "../../src/certs/authority.ts";
import { LeafStore } from "../../src/certs/leaf_store.ts";
import {
  type ProxyOptions,
  ProxyServer,
} from "../../src/proxy/proxy_server.ts";
import type { Router } from "../../src/proxy/router.ts";
import { Wire } from "./wire.ts";

/** A proxy on a port of 127.0.0.1. Disposal ends it, and fails if it reported an error. */
export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  /** PEM of the authority that its certificates come from. */
  readonly ca: string;
  /** What goes wrong inside; to be emptied by whoever expects it. */
  readonly errors: unknown[];
  /** Connects as a client that asks for this name. */
  connect(name: string, alpn?: readonly string[]): Promise<Wire>;
}

/** Making keys takes a while, so all proxies of a test file share one authority. */
let made: ReturnType<typeof makeAuthority> | null = null;

/** Starts a proxy. */
export async function testProxy(
  router: Router,
  options: Pick<ProxyOptions, "clock" | "maxTunnels"> = {},
): Promise<TestProxy> {
  const { authority, ca } = await (made ??= makeAuthority(router.tld));
  const errors: unknown[] = [];
  const proxy = new ProxyServer({
    ...options,
    router,
    certificates: new LeafStore(router.tld, () => Promise.resolve(authority)),
    onError: (error) => void errors.push(error),
  });
  const server = createServer((socket) => proxy.accept(socket));
  const port = await listen(server);
  return {
    port,
    ca,
    errors,
    connect: async (name, alpn = ["http/1.1"]) => {
      const plain = await Deno.connect({ hostname: "127.0.0.1", port });
      const conn = await Deno.startTls(plain, {
        hostname: name,
        caCerts: [ca],
        alpnProtocols: [...alpn],
      });
      await conn.handshake();
      return new Wire(conn);
    },
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await proxy[Symbol.asyncDispose]();
      await closed.promise;
      if (errors.length > 0) throw new AggregateError(errors);
    },
  };
}

async function makeAuthority(
  tld: string,
): Promise<{ readonly authority: Authority; readonly ca: string }> {
  const folder = await Deno.makeTempDir({ prefix: "tmx-ca-" });
  try {
    const authority = await Authority.open({
      folder,
      tld,
      now: () => Date.now(),
    });
    return { authority, ca: await Deno.readTextFile(authority.path) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function listen(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("Cannot tell the port of the proxy");
  }
  return address.port;
}
