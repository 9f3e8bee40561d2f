/**
 * Binds the ports of the proxy: those of the settings, or the usual ones of programs without the rights of root.
 *
 * @module
 */

import {
  answerUnavailable,
  closeAtOnce,
  type ConnectionHandler,
  FrontPort,
} from "../transports/front_ports.ts";

/** Where the proxy listens when a port that only root may bind cannot be had, or somebody else has it. */
const FALLBACK_PORTS: Readonly<Record<number, number>> = {
  443: 8443,
  80: 8080,
};

/** A free port that is free on one address only is given back; so often at most. */
const FREE_PORT_TRIES = 5;

/** What the settings say. */
export interface FrontSettings {
  readonly bind: string;
  readonly httpsPort: number;
  /** 0 = none. */
  readonly httpRedirectPort: number;
}

/** The ports of the proxy. */
export interface FrontPorts {
  readonly https: FrontPort;
  /** Null if the settings want none. */
  readonly redirect: FrontPort | null;
  /** Ports that could not be had, for which others are bound. */
  readonly detours: readonly Detour[];
}

/** A port that could not be had. */
export interface Detour {
  readonly wanted: number;
  readonly got: number;
  readonly isTaken: boolean;
  /** Why, by address. */
  readonly problems: readonly string[];
}

/**
 * Binds. Another port than the one of the settings is taken only for 443 and 80; what cannot be bound is told by the
 * ports themselves. HTTPS is closed at once and HTTP answered with 503 until somebody serves them.
 */
export async function openFrontPorts(
  { bind, httpsPort, httpRedirectPort }: FrontSettings,
): Promise<FrontPorts> {
  const https = await openOne({ bind, port: httpsPort }, closeAtOnce);
  const redirect = httpRedirectPort === 0
    ? null
    : await openOne({ bind, port: httpRedirectPort }, answerUnavailable);
  return {
    https: https.port,
    redirect: redirect?.port ?? null,
    detours: [https.detour, redirect?.detour ?? null].filter((each) =>
      each !== null
    ),
  };
}

interface Opened {
  readonly port: FrontPort;
  readonly detour: Detour | null;
}

async function openOne(
  wanted: { readonly bind: string; readonly port: number },
  handle: ConnectionHandler,
): Promise<Opened> {
  const first = wanted.port === 0
    ? await openFree(wanted, handle)
    : await FrontPort.open(wanted, handle);
  const fallback = FALLBACK_PORTS[wanted.port];
  // Half of a port that somebody else has leads half of the clients to them.
  const isGood = first.addresses.length > 0 && !first.isTaken;
  if (isGood || fallback === undefined) return { port: first, detour: null };
  const second = await FrontPort.open({ ...wanted, port: fallback }, handle);
  const isBetter = second.addresses.length > 0 || first.addresses.length === 0;
  const [kept, given] = isBetter ? [second, first] : [first, second];
  await given[Symbol.asyncDispose]();
  if (kept === first) return { port: first, detour: null };
  const { isTaken, problems } = first;
  return {
    port: second,
    detour: { wanted: wanted.port, got: fallback, isTaken, problems },
  };
}

/** The same free port on every address. */
async function openFree(
  wanted: { readonly bind: string; readonly port: number },
  handle: ConnectionHandler,
): Promise<FrontPort> {
  let found = await FrontPort.open(wanted, handle);
  for (let tries = 1; tries < FREE_PORT_TRIES && found.isTaken; tries++) {
    await found[Symbol.asyncDispose]();
    found = await FrontPort.open(wanted, handle);
  }
  return found;
}
