/**
 * Says in words which ports of the proxy could not be bound.
 *
 * @module
 */

import type { PortHolder } from "../pty/protocol.ts";
import type { FrontPort } from "../transports/front_ports.ts";
import type { FrontPorts } from "./privileged_start.ts";

/** Who listens on a port. */
type Holders = (port: number) => Promise<readonly PortHolder[]>;

/** What could not be bound, and who has it. */
export async function portProblems(
  { https, redirect }: FrontPorts,
  holders: Holders,
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
  holders: Holders,
): Promise<string> {
  const [holder] = (await holders(port.port))
    .filter(({ pid }) => pid !== Deno.pid);
  return holder === undefined
    ? " by a process of another user"
    : ` by ${holder.command} (pid ${holder.pid})`;
}
