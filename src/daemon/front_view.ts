/**
 * What is told about the proxy and its ports.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { FrontPort } from "../transports/front_ports.ts";
import type { Front, FrontOptions } from "./front.ts";
import type { FrontPorts } from "./privileged_start.ts";

/** The proxy in `status`. */
export function frontStatus(front: Front): Result<"task.status">["proxy"] {
  const { bound, httpsPort } = front.binding;
  return {
    enabled: front.isEnabled,
    bound,
    port: bound ? httpsPort : null,
    reason: bound ? null : reasonOf(front),
  };
}

function reasonOf(front: Front): string {
  if (!front.isEnabled) return "proxy_enabled is false";
  return front.problems[0] ?? "no task has a host";
}

/** The proxy in `daemon status`. */
export function frontDetails(
  front: Front,
): Result<"daemon.status">["proxy"] {
  const { https = null, redirect = null } = front.ports ?? {};
  return {
    ...frontStatus(front),
    https_port: https?.port ?? null,
    https_bound: https?.addresses ?? [],
    redirect_port: redirect?.port ?? null,
    redirect_bound: redirect?.addresses ?? [],
  };
}

/** Whether there is a port that a daemon without the rights of root could not bind again. */
export function holdsPrivilegedPort({ ports }: Front): boolean {
  return [ports?.https, ports?.redirect].some((port) =>
    port !== null && port !== undefined && port.addresses.length > 0 &&
    port.port < 1024
  );
}

/** What could not be bound, and who has it. */
export async function portProblems(
  { https, redirect }: FrontPorts,
  { holders }: Pick<FrontOptions, "holders">,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, port] of Object.entries({ proxy: https, redirect })) {
    if (port === null || port.problems.length === 0) continue;
    const holder = port.isTaken ? await holderOf(port, holders) : "";
    problems.push(`${name}: ${port.problems.join(", ")}${holder}`);
  }
  return problems;
}

async function holderOf(
  port: FrontPort,
  holders: FrontOptions["holders"],
): Promise<string> {
  const [holder] = (await holders(port.port))
    .filter(({ pid }) => pid !== Deno.pid);
  return holder === undefined
    ? " by a process of another user"
    : ` by ${holder.command} (pid ${holder.pid})`;
}
