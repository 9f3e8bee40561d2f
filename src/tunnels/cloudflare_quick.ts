/**
 * Cloudflare without an account: `cloudflared` gets a name below trycloudflare.com, another one each time it starts.
 *
 * @module
 */

import { shellText } from "../kit/shell_words.ts";
import { CLOUDFLARED, explainCloudflared } from "./cloudflared_words.ts";
import { askProgram } from "./program_api.ts";
import { checkProgram } from "./program_check.ts";
import type {
  RunningTunnel,
  TunnelCheck,
  TunnelContext,
  TunnelProcess,
  TunnelProvider,
  TunnelTarget,
} from "./tunnel_provider.ts";

/** Between two looks for the name. It is there a second or two after the start. */
const LOOK_AGAIN_MS = 200;

/** The name in the frame that is drawn around it in the log. */
const NAME_IN_LOG = /\|\s+(?:https:\/\/)?([a-z0-9.-]+\.[a-z]+)\s+\|/;

const HOST_NAME = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

/**
 * Variables that make another tunnel of it than one without an account: one by a name of the user's own account, one to
 * another place, one that answers itself.
 */
const MISLEADING = [
  "TUNNEL_NAME",
  "TUNNEL_HOSTNAME",
  "TUNNEL_UNIX_SOCKET",
  "TUNNEL_HELLO_WORLD",
  "TUNNEL_BASTION",
  "TUNNEL_HTTP_HOST_HEADER",
];

/** So that nobody looks for the fault in a task. */
const LIMITS: TunnelCheck = {
  name: "quick_tunnel",
  ok: true,
  detail:
    "Cloudflare gives no guarantee: another name after each start, at most 200 requests at a time, no Server-Sent Events",
  fix: null,
};

/** The provider `cloudflare-quick`. */
export const cloudflareQuick: TunnelProvider = {
  backend: "cloudflare-quick",
  carries: "task",
  hostnames: "none",
  reaches: ["public"],
  check: async (_targets, context, signal) => [
    (await checkProgram(CLOUDFLARED, context, signal)).check,
    LIMITS,
  ],
  open: async ([target], context) =>
    target === undefined ? null : await open(target, context),
  addressOf: (_target, running, context, signal) =>
    addressOf(running, context, signal),
  close: () => Promise.resolve({ removed: [], left: [] }),
  explain: explainCloudflared,
};

async function open(
  { task, origin }: TunnelTarget,
  { env, folder }: TunnelContext,
): Promise<TunnelProcess> {
  // A config.yml of the user's own tunnel would decide where requests go, and answer all of them with 404. An empty file
  // would do, too, and be an error in the log.
  const settings = `${folder}/quick.yml`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(settings, "{}\n", { mode: 0o600 });
  const unset = MISLEADING.filter((name) => name in env)
    .flatMap((name) => ["-u", name]);
  const words = [
    ...unset.length === 0 ? [] : ["env", ...unset],
    "cloudflared",
    "tunnel",
    "--config",
    settings,
    "--no-autoupdate",
  ];
  return {
    name: `tunnel-${task}`,
    command: `exec ${shellText(words)} --metrics 127.0.0.1:$PORT ${
      shellText(["--url", origin])
    }`,
    env: {},
    healthUrl: "http://127.0.0.1:$PORT/ready",
    readyLog: null,
  };
}

async function addressOf(
  running: RunningTunnel | null,
  { clock }: TunnelContext,
  signal: AbortSignal,
): Promise<string> {
  while (true) {
    const name = await nameInMetrics(running, signal) ??
      (await running?.findLine(NAME_IN_LOG))?.[1];
    if (name !== undefined && HOST_NAME.test(name)) return `https://${name}`;
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** Programs before 2021 do not tell it, and no program tells it before it has one. */
async function nameInMetrics(
  running: RunningTunnel | null,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (running === null || running.port === null) return undefined;
  const answer = await askProgram(running.port, "/quicktunnel", signal);
  if (typeof answer !== "object" || answer === null) return undefined;
  if (!("hostname" in answer)) return undefined;
  const { hostname } = answer;
  return typeof hostname === "string" && hostname !== "" ? hostname : undefined;
}
