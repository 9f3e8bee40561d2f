/**
 * What is told about the ports of the proxy.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { FrontPort } from "../transports/front_ports.ts";
import type { KeeperLink } from "./keeper_link.ts";
import type { FrontPorts } from "./privileged_start.ts";

const NO_PROXY = "this version has no proxy";

/** The proxy in `status`. */
export function frontStatus(
  front: FrontPorts | null,
): Result<"task.status">["proxy"] {
  const isBound = (front?.https.addresses.length ?? 0) > 0;
  return {
    enabled: false,
    bound: isBound,
    port: isBound ? front!.https.port : null,
    reason: isBound ? `${NO_PROXY}; its port is only held` : NO_PROXY,
  };
}

/** The proxy in `daemon status`. */
export function frontDetails(
  front: FrontPorts | null,
): Result<"daemon.status">["proxy"] {
  const { https = null, redirect = null } = front ?? {};
  return {
    ...frontStatus(front),
    https_port: https?.port ?? null,
    https_bound: https?.addresses ?? [],
    redirect_port: redirect?.port ?? null,
    redirect_bound: redirect?.addresses ?? [],
  };
}

/** Whether there is a port that a daemon without the rights of root could not bind again. */
export function holdsPrivilegedPort(front: FrontPorts | null): boolean {
  return [front?.https, front?.redirect].some((port) =>
    port !== null && port !== undefined && port.addresses.length > 0 &&
    port.port < 1024
  );
}

/** Adds to the present problems what could not be bound, and who has it. */
export async function noteFront(
  problems: Map<string, string>,
  front: FrontPorts | null,
  keeper: KeeperLink,
): Promise<void> {
  const ports = { proxy: front?.https, redirect: front?.redirect };
  for (const [name, port] of Object.entries(ports)) {
    if (!port || port.problems.length === 0) continue;
    const holder = port.isTaken ? await holderOf(port, keeper) : "";
    problems.set(name, port.problems.join(", ") + holder);
  }
}

async function holderOf(port: FrontPort, keeper: KeeperLink): Promise<string> {
  const { holders } = await keeper.request("holders", { port: port.port });
  const [holder] = holders.filter(({ pid }) => pid !== Deno.pid);
  return holder === undefined
    ? " by a process of another user"
    : ` by ${holder.command} (pid ${holder.pid})`;
}
