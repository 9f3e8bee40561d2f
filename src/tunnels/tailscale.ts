/**
 * Tailscale: `funnel` for the internet, `serve` for the devices of one's own tailnet, under the name of this machine.
 *
 * In the foreground what is served belongs to the session of the program with tailscaled, which drops it when the session
 * ends, however that happens (`DeleteForegroundSession` in tailscaled). So nothing has to be taken back, and what the user
 * serves in the background is not touched.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { shellText } from "../kit/shell_words.ts";
import { checkTailscale } from "./tailscale_checks.ts";
import { freePort, withPort } from "./tailscale_ports.ts";
import {
  parseServedPorts,
  parseTailscaleStatus,
  type ServedPort,
} from "./tailscale_status.ts";
import { explainTailscale } from "./tailscale_words.ts";
import type {
  RunningTunnel,
  TunnelContext,
  TunnelProcess,
  TunnelProvider,
  TunnelTarget,
} from "./tunnel_provider.ts";

/** Between two looks for the address. */
const LOOK_AGAIN_MS = 500;

/** Alone in its line. Pages to visit have a path. */
const ADDRESS = /^\s*(https:\/\/[a-z0-9.-]+(?::\d+)?)\/?\s*$/;

/** The provider `tailscale`. */
export const tailscale: TunnelProvider = {
  backend: "tailscale",
  carries: "task",
  hostnames: "none",
  reaches: ["public", "tailnet"],
  check: checkTailscale,
  open: async ([target], context, signal) =>
    target === undefined ? null : await open(target, context, signal),
  addressOf: (target, running, context, signal) =>
    addressOf(target, running, { context, signal }),
  close: ({ memory }, { prune }) => {
    if (prune) memory.save(null);
    return Promise.resolve({ removed: [], left: [] });
  },
  explain: explainTailscale,
};

async function open(
  target: TunnelTarget,
  context: TunnelContext,
  signal: AbortSignal,
): Promise<TunnelProcess> {
  const { memory } = context;
  const [status, served] = [
    parseTailscaleStatus(
      await told(context, signal, "status", "--json", "--peers=false"),
    ),
    await servedPorts(context, signal),
  ];
  const port = freePort(target, served, {
    memory: memory.load(),
    allowed: status?.funnelPorts ?? null,
  });
  if (port === null) {
    throw new TaskmuxError(
      "E741",
      `Cannot open a tunnel for "${target.task}": Tailscale serves something else on every port that may be used`,
      { hint: "tailscale serve status" },
    );
  }
  memory.save(withPort(memory.load(), target.task, port));
  const command = target.reach === "public" ? "funnel" : "serve";
  return {
    name: `tunnel-${target.task}`,
    command: `exec ${
      shellText(["tailscale", command, `--https=${port}`, target.origin])
    }`,
    env: {},
    healthUrl: null,
    readyLog: "Press Ctrl\\+C to exit",
  };
}

/** The program tells it once; after that, tailscaled does. */
async function addressOf(
  target: TunnelTarget,
  running: RunningTunnel | null,
  { context, signal }: {
    readonly context: TunnelContext;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  while (true) {
    const printed = (await running?.findLine(ADDRESS))?.[1];
    if (printed !== undefined) return new URL(printed).origin;
    const served = await servedPorts(context, signal);
    const port = served.find(({ proxy }) => proxy === target.origin)?.port;
    const name = port === undefined ? null : parseTailscaleStatus(
      await told(context, signal, "status", "--json", "--peers=false"),
    )?.name ?? null;
    if (name !== null) return new URL(`https://${name}:${port}`).origin;
    await context.clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

async function servedPorts(
  context: TunnelContext,
  signal: AbortSignal,
): Promise<ServedPort[]> {
  return parseServedPorts(
    await told(context, signal, "serve", "status", "--json"),
  );
}

async function told(
  { run }: TunnelContext,
  signal: AbortSignal,
  ...args: readonly string[]
): Promise<string> {
  const outcome = await run(["tailscale", ...args], signal);
  if (outcome.kind === "exited" && outcome.code === 0) return outcome.output;
  const why = outcome.kind === "not_started"
    ? outcome.reason
    : outcome.kind === "timed_out"
    ? "it does not answer"
    : outcome.output.trim().split("\n").at(0) ?? "";
  throw new TaskmuxError(
    "E741",
    `Cannot ask Tailscale: ${why === "" ? "it says nothing" : why}`,
    { hint: "tailscale status" },
  );
}
