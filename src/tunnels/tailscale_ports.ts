/**
 * Which port of this machine's name in its tailnet a tunnel gets. What is served there already stays.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import type { PortRange, ServedPort } from "./tailscale_status.ts";
import type { TunnelTarget } from "./tunnel_provider.ts";

/** All that Funnel knows (https://tailscale.com/kb/1223/funnel). */
const PUBLIC_PORTS = [443, 8443, 10000];

/** Within a tailnet any will do. */
const TAILNET_PORTS = [
  ...PUBLIC_PORTS,
  ...Array.from({ length: 16 }, (_, index) => 10001 + index),
];

/** What is known beside what is served. */
export interface PortFacts {
  /** What this project's tunnels had: `{ports: {TASK: PORT}}`. */
  readonly memory: JsonObject | null;
  /** Those that the tailnet lets be reached from the internet; null = that is not told. */
  readonly allowed: readonly PortRange[] | null;
}

/**
 * The port for a target: the one that leads there already, else the one it had before, else one that no other task of the
 * project had, else any that is free.
 *
 * @returns Null if there is none.
 */
export function freePort(
  target: TunnelTarget,
  served: readonly ServedPort[],
  { memory, allowed }: PortFacts,
): number | null {
  const candidates = target.reach === "tailnet"
    ? TAILNET_PORTS
    : PUBLIC_PORTS.filter((port) =>
      allowed === null || isAllowed(port, allowed)
    );
  const leading = served.find(({ port, proxy }) =>
    proxy === target.origin && candidates.includes(port)
  );
  if (leading !== undefined) return leading.port;
  const taken = new Set(served.map(({ port }) => port));
  const free = candidates.filter((port) => !taken.has(port));
  const had = rememberedPorts(memory);
  const mine = had.get(target.task);
  if (mine !== undefined && free.includes(mine)) return mine;
  const ofOthers = new Set(had.values());
  return free.find((port) => !ofOthers.has(port)) ?? free[0] ?? null;
}

/** Whether a port is in one of these ranges. */
export function isAllowed(
  port: number,
  ranges: readonly PortRange[],
): boolean {
  return ranges.some(([first, last]) => port >= first && port <= last);
}

/** The memory after a target got a port. */
export function withPort(
  memory: JsonObject | null,
  task: string,
  port: number,
): JsonObject {
  const ports = new Map(rememberedPorts(memory)).set(task, port);
  return { ports: Object.fromEntries(ports) };
}

function rememberedPorts(
  memory: JsonObject | null,
): ReadonlyMap<string, number> {
  const ports = memory?.ports;
  if (typeof ports !== "object" || ports === null) return new Map();
  return new Map(
    Object.entries(ports).flatMap(([task, port]): [string, number][] =>
      typeof port === "number" ? [[task, port]] : []
    ),
  );
}
