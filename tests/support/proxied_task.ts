/**
 * A server as a task runs one, behind a proxy that leads every name to it.
 *
 * @module
 */

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createRawServer, type Socket } from "node:net";
import type { Refusal, Router, Upstream } from "../../src/proxy/router.ts";
import { type TestProxy, testProxy } from "./test_proxy.ts";

/** The name that clients ask for. */
export const TASK_NAME = "api.shop.localhost";

/** A server and the proxy before it. Disposal ends both, and fails if the proxy reported an error. */
export interface ProxiedTask extends AsyncDisposable {
  readonly proxy: TestProxy;
  /** How many connections the server got. */
  readonly connections: () => number;
  /** How many of them are open. */
  readonly open: () => number;
  /** The server, to listen to more of its events. */
  readonly server: Server;
  readonly port: number;
}

/** Where a proxy of a test leads. */
export interface TaskAddress {
  readonly port: number;
  /** Loopback addresses to try, in order. */
  readonly addresses?: readonly string[];
}

/** Leads every name to one listener; what fails is told as the error itself. */
export function routerTo({ port, addresses }: TaskAddress): Router {
  const upstream: Upstream = {
    kind: "upstream",
    port,
    addresses: addresses ?? ["127.0.0.1", "::1"],
    projectId: "shop",
    name: "api",
    key: `run-${port}`,
  };
  return {
    tld: "localhost",
    knows: (projectId) => projectId === "shop",
    find: () => Promise.resolve(upstream),
    failed: (_upstream, error) => failed(error),
  };
}

/** A server of `node:http` behind a proxy. */
export async function proxiedTask(
  listener: RequestListener,
  host: string = "127.0.0.1",
): Promise<ProxiedTask> {
  const server = createServer(
    { maxHeaderSize: 128 * 1024, keepAliveTimeout: 60_000 },
    listener,
  );
  return await behindProxy(server, host);
}

/** A server that does with each connection what it likes, behind a proxy. */
export async function proxiedSockets(
  listener: (socket: Socket) => void,
): Promise<ProxiedTask> {
  const server = createRawServer((socket) => {
    socket.on("error", () => {});
    listener(socket);
  });
  return await behindProxy(server as Server, "127.0.0.1");
}

async function behindProxy(server: Server, host: string): Promise<ProxiedTask> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, host, resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("Cannot tell the port of the task");
  }
  const proxy = await testProxy(routerTo({ port: address.port }));
  return {
    proxy,
    server,
    port: address.port,
    connections: () => connections,
    open: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      await using _proxy = proxy;
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

function failed(error: Error): Refusal {
  return {
    kind: "refusal",
    status: 502,
    code: "upstream_failed",
    message: error.message,
    projectId: "shop",
    task: "api",
    state: "running",
    hint: null,
    isTransient: false,
  };
}
