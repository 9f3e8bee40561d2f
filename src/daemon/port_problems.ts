/**
 * Says in words which ports of the proxy could not be bound.
 *
 * @module
 */

import type { PortHolder } from "../pty/protocol.ts";
import type { FrontPort } from "../transports/front_ports.ts";
import type { FrontPorts } from "./open_front_ports.ts";

/** Characters of a program that are told. */
const PROGRAM_LENGTH_MAX = 60;

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
    problems.push(`${name}: ${await reasonOf(port, port.port, holders)}`);
  }
  return problems;
}

/** Why other ports than those of the settings are bound. */
export async function portDetours(
  { detours }: FrontPorts,
  holders: Holders,
): Promise<string[]> {
  return await Promise.all(detours.map(async (detour) => {
    const { got, wanted } = detour;
    return `${got} instead of ${wanted}: ${await reasonOf(
      detour,
      wanted,
      holders,
    )}`;
  }));
}

async function reasonOf(
  { isTaken, problems }: Pick<FrontPort, "isTaken" | "problems">,
  port: number,
  holders: Holders,
): Promise<string> {
  const holder = isTaken ? await holderOf(port, holders) : "";
  return `${problems.join(", ")}${holder}`;
}

async function holderOf(port: number, holders: Holders): Promise<string> {
  const [holder] = (await holders(port))
    .filter(({ pid }) => pid !== Deno.pid);
  return holder === undefined
    ? " by a process of another user"
    : ` by ${holderText(holder)}`;
}

/**
 * A process in a few words: what comes after its first option fills a screen, and may be a secret; `taskmux who` has
 * all of it.
 */
export function holderText(
  { command, pid }: Pick<PortHolder, "command" | "pid">,
): string {
  const words = command.split(" ");
  const options = words.findIndex((word) => word.startsWith("-"));
  const program = options < 1 ? command : words.slice(0, options).join(" ");
  const isWhole = program.length <= PROGRAM_LENGTH_MAX && options < 1;
  return `${program.slice(0, PROGRAM_LENGTH_MAX)}${
    isWhole ? "" : " …"
  } (pid ${pid})`;
}
