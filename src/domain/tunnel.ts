/**
 * A task that is reachable from outside this machine: the words for it, and how it is told. Pure.
 *
 * @module
 */

import type { TaskSpec } from "./task_spec.ts";

/** Ways to make a task public. */
export const TUNNEL_BACKENDS = [
  "cloudflare",
  "cloudflare-quick",
  "tailscale",
  "ngrok",
  "noop",
] as const;

/** One of {@linkcode TUNNEL_BACKENDS}. */
export type TunnelBackend = typeof TUNNEL_BACKENDS[number];

/** Who is let in: everybody, who knows a user name and a password, or who was given a link. */
export type TunnelAccess = "open" | "basic" | "link";

/** Who can reach the name: the whole internet, or the devices of one's own tailnet. */
export type TunnelReach = "public" | "tailnet";

/**
 * How it is with a tunnel.
 *
 * - `opening`: it is being set up, nobody gets through yet
 * - `open`: its name leads to the task
 * - `failing`: it was open, and its provider or its program does not work now; it is tried again
 * - `waiting`: it opens as soon as its task runs
 * - `off`: the file names a tunnel, and nobody has opened it
 */
export type TunnelState = "opening" | "open" | "failing" | "waiting" | "off";

/** A tunnel as it is told: in `status` with its task, and in `tunnel status`. */
export interface TunnelView {
  readonly backend: TunnelBackend;
  readonly state: TunnelState;
  /** Whether others can reach the task now, or could as soon as the provider works again. */
  readonly public: boolean;
  readonly public_url: string | null;
  readonly public_hostname: string | null;
  readonly access: TunnelAccess;
  readonly reach: TunnelReach;
  /** Whether it opens again with its task: `tunnel enable` did that. */
  readonly standing: boolean;
  /** Unix seconds. */
  readonly opened_at: number | null;
  /** Unix seconds; null = it has no end. */
  readonly expires_at: number | null;
  /** Where the provider's program finds the task, on this machine. */
  readonly origin: string | null;
  /** The task that is the provider's program; null = it needs none. */
  readonly process: string | null;
  /** Why it is not open, or what is wrong. */
  readonly reason: string | null;
  /** Requests since it was opened, and how many of them were refused. */
  readonly requests: number;
  readonly refused: number;
  /** Index signature for answers that may grow. */
  readonly [key: string]: unknown;
}

/** Whether a task is the program of a tunnel: it comes and goes with the tunnel, and is none of the user's. */
export function isTunnelProgram(
  { role }: { readonly role?: TaskSpec["role"] | undefined },
): boolean {
  return role === "tunnel";
}

/** Who can reach a task that is public: `everybody`, `password`, `link`, of a tailnet or of the internet. */
export function audienceOf(
  { access, reach }: Pick<TunnelView, "access" | "reach">,
): string {
  const who = { open: "everybody", basic: "password", link: "link" }[access];
  return reach === "tailnet" ? `${who} in the tailnet` : who;
}

/** The tunnel that a file names for a task and nobody has opened; null = it names none. */
export function viewNamedTunnel(
  { name, tunnel, publicHostname }: Pick<
    TaskSpec,
    "name" | "tunnel" | "publicHostname"
  >,
): TunnelView | null {
  const backend = TUNNEL_BACKENDS.find((each) => each === tunnel);
  if (backend === undefined) return null;
  return {
    backend,
    state: "off",
    public: false,
    public_url: null,
    public_hostname: publicHostname,
    access: "open",
    reach: "public",
    standing: false,
    opened_at: null,
    expires_at: null,
    origin: null,
    process: null,
    reason:
      `nobody has opened it on this machine; "taskmux tunnel up ${name}" does`,
    requests: 0,
    refused: 0,
  };
}
