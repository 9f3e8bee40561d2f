/**
 * Programs of tunnels as somebody else built them. They are named by variables, and what is not there is said loudly.
 *
 * @module
 */

import { ProviderBench } from "../support/provider_bench.ts";
import type { TunnelBackend } from "../../src/domain/tunnel.ts";
import type { FakeProgram } from "../support/fake_programs.ts";

const VARIABLES: Readonly<Record<FakeProgram, string>> = {
  cloudflared: "TASKMUX_CLOUDFLARED",
  ngrok: "TASKMUX_NGROK",
  tailscale: "TASKMUX_TAILSCALE",
};

/** Absolute path of a program; null = it is not there, which is said. */
export function realProgram(program: FakeProgram): string | null {
  const variable = VARIABLES[program];
  const path = Deno.env.get(variable) ?? "";
  if (path !== "" && Deno.statSync(path).isFile) return Deno.realPathSync(path);
  console.error(
    `MISSING: no real ${program} is tried. Name one: ${variable}=/path/to/${program} deno task test:tunnels`,
  );
  return null;
}

/** As {@linkcode ProviderBench.open}, with the real program in place of the one that stands in for it. */
export async function realBench(
  backend: TunnelBackend,
  program: FakeProgram,
  options: readonly string[] = [],
): Promise<ProviderBench> {
  const path = realProgram(program);
  if (path === null) throw new Error(`Cannot try ${program}: it is not there`);
  const bench = await ProviderBench.open(backend);
  await bench.world.program(
    program,
    `exec ${[path, ...options].map((word) => `'${word}'`).join(" ")} "$@"`,
  );
  return bench;
}

/** How a command line of a program ended. */
export interface Told {
  readonly code: number;
  /** Of both outputs, without empty ones. */
  readonly lines: readonly string[];
}

/** Runs a program of a bench to its end. */
export async function tell(
  { world }: ProviderBench,
  [program, ...args]: readonly [FakeProgram, ...string[]],
): Promise<Told> {
  const { code, stdout, stderr } = await new Deno.Command(
    `${world.root}/bin/${program}`,
    {
      args,
      clearEnv: true,
      env: {
        ...world.context.env,
        FAKE_TAILSCALE: `${world.root}/tailscale.json`,
      },
    },
  ).output();
  const decoder = new TextDecoder();
  const text = `${decoder.decode(stderr)}\n${decoder.decode(stdout)}`;
  const lines = text.split("\n").map((line) => line.trim());
  return { code, lines: lines.filter((line) => line !== "") };
}
