/**
 * A server as a task runs one, behind a gate to the outside.
 *
 * @module
 */

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createRawServer, type Socket } from "node:net";
import { type Clock, systemClock } from "../../src/kit/clock.ts";
import {
  AccessControl,
  type AccessRecord,
  openRecord,
} from "../../src/proxy/public_access.ts";
import {
  type GateRequest,
  PublicGate,
  type PublicGateOptions,
} from "../../src/proxy/public_gate.ts";
import type { Route } from "../../src/proxy/router.ts";
import { routerTo } from "./proxied_task.ts";
import { Wire } from "./wire.ts";

/** The two names of the task. */
export const PUBLIC_URL = "https://shop.example.com";
export const AUTHORITY = "api.shop.localhost:8443";

/** How a gate of a test differs from others. */
export interface GateSetup {
  readonly record?: AccessRecord;
  readonly clock?: Clock;
  readonly maxOpen?: number;
  readonly publicUrl?: string | null;
  /** Keeps a record that changed. */
  keep?(record: AccessRecord): void;
  /** Instead of the task. */
  find?(client: { readonly signal: AbortSignal }): Promise<Route>;
}

/** A server and the gate before it. Disposal ends both, and fails if the gate reported an error. */
export interface GatedTask extends AsyncDisposable {
  readonly gate: PublicGate;
  readonly access: AccessControl;
  /** What the gate told. */
  readonly entries: readonly GateRequest[];
  /** Records that were to be kept. */
  readonly kept: readonly AccessRecord[];
  /** How many connections the server got. */
  readonly connections: () => number;
  /** How many of them are open. */
  readonly open: () => number;
  readonly port: number;
  readonly errors: unknown[];
  connect(): Promise<Wire>;
  /** The address of a path at the gate. */
  at(path: string): string;
}

/** A server of `node:http` behind a gate. */
export async function gatedTask(
  listener: RequestListener,
  setup: GateSetup = {},
): Promise<GatedTask> {
  return await behindGate(
    createServer({ keepAliveTimeout: 60_000 }, listener),
    setup,
  );
}

/** A server that does with each connection what it likes, behind a gate. */
export async function gatedSockets(
  listener: (socket: Socket) => void,
  setup: GateSetup = {},
): Promise<GatedTask> {
  const server = createRawServer((socket) => {
    socket.on("error", () => {});
    listener(socket);
  });
  return await behindGate(server as Server, setup);
}

async function behindGate(
  server: Server,
  setup: GateSetup,
): Promise<GatedTask> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const { port } = server.address() as { readonly port: number };
  const entries: GateRequest[] = [];
  const kept: AccessRecord[] = [];
  const errors: unknown[] = [];
  const { clock = systemClock } = setup;
  const access = new AccessControl(
    setup.record ?? openRecord(),
    (record) => {
      setup.keep?.(record);
      kept.push(record);
    },
    clock,
  );
  const gate = await PublicGate.open({
    ...optionsTo(port, setup),
    access,
    clock,
    onRequest: (entry) => void entries.push(entry),
    onError: (error) => void errors.push(error),
  });
  return {
    gate,
    access,
    entries,
    kept,
    errors,
    port,
    connections: () => connections,
    open: () => sockets.size,
    connect: async () =>
      new Wire(
        await Deno.connect({ hostname: "127.0.0.1", port: gate.port }),
      ),
    at: (path) => `http://127.0.0.1:${gate.port}${path}`,
    [Symbol.asyncDispose]: async () => {
      await gate[Symbol.asyncDispose]();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
      if (errors.length > 0) throw new AggregateError(errors);
    },
  };
}

function optionsTo(
  port: number,
  { find, maxOpen, publicUrl = PUBLIC_URL }: GateSetup,
): Pick<PublicGateOptions, "port" | "find" | "failed" | "facts" | "maxOpen"> {
  const router = routerTo({ port, addresses: ["127.0.0.1"] });
  const name = { projectId: "shop", label: "api" } as never;
  return {
    port: 0,
    find: find ?? ((client) => router.find(name, client)),
    failed: (upstream, error) => router.failed(upstream, error),
    facts: () => ({ publicUrl, authority: AUTHORITY }),
    ...maxOpen === undefined ? {} : { maxOpen },
  };
}
