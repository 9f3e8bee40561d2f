/**
 * The proxy of the daemon with a router of the test's own.
 *
 * @module
 */

import { createServer, type Server } from "node:net";
import type { Authority } from "../../src/certs/authority.ts";
import { LeafStore } from "../../src/certs/leaf_store.ts";
import { openOwnAuthority } from "../../src/certs/own_authority.ts";
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
  options: Pick<ProxyOptions, "clock" | "maxTunnels" | "maxOpen"> = {},
): Promise<TestProxy> {
  const { authority, ca } = await (made ??= makeAuthority(router.tld));
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const folder = await Deno.makeTempDir({ prefix: "tmx-certs-" });
  const proxy = new ProxyServer({
    ...options,
    router,
    certificates: new LeafStore({
      folder,
      tld: router.tld,
      authority: () => Promise.resolve(authority),
      now: () => Date.now(),
      onWarning: onError,
    }),
    onError,
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
      await Deno.remove(folder, { recursive: true });
      if (errors.length > 0) throw new AggregateError(errors);
    },
  };
}

async function makeAuthority(
  tld: string,
): Promise<{ readonly authority: Authority; readonly ca: string }> {
  const folder = await Deno.makeTempDir({ prefix: "tmx-ca-" });
  try {
    const authority = await openOwnAuthority({
      folder,
      tld,
      now: () => Date.now(),
      owner: () => Promise.resolve("test"),
      onDamage: ({ message }) => console.error(message),
      onWarning: (message) => console.error(message),
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
