/**
 * The tunnel of a project at Cloudflare: whose it is, and how it comes to be.
 *
 * A tunnel is ours if its id is remembered, or if its secret is one that we chose. Another one of the wanted name is taken
 * over only if nobody uses it: docs/decisions/0032.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { JsonObject } from "../../kit/json.ts";
import type { TunnelTarget } from "../tunnel_provider.ts";
import { idOf } from "./cloudflare_api.ts";
import type { KnownTunnel, TunnelIntent } from "./cloudflare_memory.ts";
import {
  CloudflareRefusal,
  isObject,
  TUNNEL_PERMISSION,
} from "./cloudflare_refusal.ts";
import {
  type CloudflareSession,
  VISIBLE_PAUSES_MS,
} from "./cloudflare_session.ts";
import {
  configurationOf,
  connectorsOf,
  findTunnel,
  type FoundTunnel,
  runTokenOf,
  secretOf,
  tunnelByName,
  tunnelPath,
} from "./found_tunnel.ts";
import { strangeNames, type TunnelConfiguration } from "./tunnel_ingress.ts";

/** Bytes of a tunnel's secret; Cloudflare takes no fewer. */
const SECRET_BYTES = 32;

/** How it is with the tunnel that is wanted. */
export type TunnelVerdict = PresentVerdict | { readonly kind: "absent" };

/** How it is with a tunnel that is there. */
type PresentVerdict =
  /** It is ours, or may be. */
  | {
    readonly kind: "ours" | "free";
    readonly tunnel: FoundTunnel;
    readonly isMade: boolean;
    readonly configuration: TunnelConfiguration;
  }
  | {
    readonly kind: "foreign";
    readonly tunnel: FoundTunnel;
    /** Ends the sentence "the tunnel …". */
    readonly reason: string;
    readonly fix: string;
  };

/** Looks at the wanted tunnel; changes nothing. @throws {CloudflareRefusal} */
export async function judgeTunnel(
  session: CloudflareSession,
  targets: readonly TunnelTarget[],
  signal: AbortSignal,
): Promise<TunnelVerdict> {
  const { knownTunnel } = session;
  const known = knownTunnel === null
    ? null
    : await findTunnel(session, knownTunnel, signal);
  if (known !== null && knownTunnel !== null) {
    const configuration = await configurationOf(session, known, signal);
    const strange = strangers(session, configuration, targets);
    return strange.length > 0 ? foreignNames(session, known, strange) : {
      kind: "ours",
      tunnel: known,
      isMade: knownTunnel.isMade,
      configuration,
    };
  }
  const named = await tunnelByName(session, signal);
  return named === null
    ? { kind: "absent" }
    : await judgeNamed(session, { tunnel: named, targets }, signal);
}

/** The tunnel of a project, to be used. */
export interface ReadyTunnel {
  readonly tunnel: KnownTunnel;
  readonly configuration: TunnelConfiguration;
}

/**
 * The tunnel of the project, made if need be. What we come to know is remembered at once.
 *
 * @param wish With what {@linkcode judgeTunnel} has just said.
 * @throws {TaskmuxError} E741 if it is somebody else's, or Cloudflare refuses.
 */
export async function ensureTunnel(
  session: CloudflareSession,
  { targets, verdict }: {
    readonly targets: readonly TunnelTarget[];
    readonly verdict: TunnelVerdict;
  },
  signal: AbortSignal,
): Promise<ReadyTunnel> {
  if (verdict.kind !== "absent") return settle(session, verdict);
  forget(session);
  for (let attempt = 1;; attempt++) {
    const refusal = await create(session, signal);
    if (!(refusal instanceof CloudflareRefusal)) {
      return { tunnel: refusal, configuration: null };
    }
    if (!refusal.isTaken && !refusal.isUncertain) throw refusal;
    const made = await lookFor(session, signal);
    if (made !== null) {
      const judged = await judgeNamed(
        session,
        { tunnel: made, targets },
        signal,
      );
      return settle(session, judged);
    }
    if (refusal.isTaken || attempt > 1) throw refusal;
  }
}

/** The tunnel that we made and did not come to write down; null if there is none. @throws {CloudflareRefusal} */
export async function findIntended(
  session: CloudflareSession,
  signal: AbortSignal,
): Promise<KnownTunnel | null> {
  const named = await tunnelByName(session, signal);
  if (named === null || !await isIntended(session, named, signal)) return null;
  return {
    account: session.account,
    id: named.id,
    name: named.name,
    isMade: true,
    since: session.context.clock.now(),
  };
}

/** A tunnel that is there, but not among what we remember. */
async function judgeNamed(
  session: CloudflareSession,
  { tunnel, targets }: {
    readonly tunnel: FoundTunnel;
    readonly targets: readonly TunnelTarget[];
  },
  signal: AbortSignal,
): Promise<PresentVerdict> {
  const isMade = await isIntended(session, tunnel, signal);
  const fix =
    "taskmux tunnel config-set --scope project tunnel_name=ANOTHER-NAME";
  const foreign = (reason: string): PresentVerdict => ({
    kind: "foreign",
    tunnel,
    reason,
    fix,
  });
  const connectors = isMade ? [] : await connectorsOf(session, tunnel, signal);
  if (connectors.length > 0) {
    return foreign(
      `is in use by a program at ${
        [...new Set(connectors)].join(", ")
      }, perhaps the same project on another machine: both would share its requests`,
    );
  }
  if (!tunnel.isRemote) {
    return foreign(
      "is configured by a file of cloudflared on some machine, which would lose its effect",
    );
  }
  const configuration = await configurationOf(session, tunnel, signal);
  const strange = strangers(session, configuration, targets);
  if (strange.length > 0) return foreignNames(session, tunnel, strange);
  return { kind: isMade ? "ours" : "free", tunnel, isMade, configuration };
}

function foreignNames(
  session: CloudflareSession,
  tunnel: FoundTunnel,
  names: readonly string[],
): PresentVerdict {
  return {
    kind: "foreign",
    tunnel,
    reason: `leads to ${
      names.join(", ")
    }, too, which this project did not set up`,
    fix: session.knownTunnel === null
      ? "taskmux tunnel config-set --scope project tunnel_name=ANOTHER-NAME"
      : "Remove these public hostnames from the tunnel in the dashboard (Zero Trust, Networks, Tunnels), or: taskmux tunnel config-set --scope project tunnel_name=ANOTHER-NAME",
  };
}

/** Names that a tunnel serves and that are none of ours. */
function strangers(
  { facts }: CloudflareSession,
  configuration: TunnelConfiguration,
  targets: readonly TunnelTarget[],
): string[] {
  const ours = [
    ...targets.flatMap(({ hostname }) => hostname === null ? [] : [hostname]),
    ...facts.ingress,
    ...facts.records.map(({ hostname }) => hostname),
  ];
  return strangeNames(configuration, ours);
}

/** Whether we made it and did not come to write that down: nobody else can know the secret that we chose. */
async function isIntended(
  session: CloudflareSession,
  tunnel: FoundTunnel,
  signal: AbortSignal,
): Promise<boolean> {
  const hashes = intentsFor(session).map(({ secretHash }) => secretHash);
  if (hashes.length === 0) return false;
  const secret = secretOf(await runTokenOf(session, tunnel, signal));
  return secret !== null && hashes.includes(await hashOf(secret));
}

/** Writes down what was decided. @throws {TaskmuxError} E741 if it is somebody else's. */
function settle(
  session: CloudflareSession,
  verdict: PresentVerdict,
): ReadyTunnel {
  if (verdict.kind === "foreign") {
    throw new TaskmuxError(
      "E741",
      `Cannot use the tunnel "${verdict.tunnel.name}": it ${verdict.reason}`,
      { hint: verdict.fix },
    );
  }
  const { configuration } = verdict;
  const { knownTunnel, account, tunnelName, context } = session;
  if (knownTunnel?.id === verdict.tunnel.id) {
    return { tunnel: knownTunnel, configuration };
  }
  forget(session);
  const tunnel = keep(session, {
    account,
    id: verdict.tunnel.id,
    name: tunnelName,
    isMade: verdict.isMade,
    since: context.clock.now(),
  });
  return { tunnel, configuration };
}

/** Makes the tunnel. @returns The refusal, if there is one, for the caller to judge. */
async function create(
  session: CloudflareSession,
  signal: AbortSignal,
): Promise<KnownTunnel | CloudflareRefusal> {
  const { account, tunnelName, context, facts } = session;
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const secret = bytes.toBase64();
  context.noteSecret(secret);
  const intent: TunnelIntent = {
    account,
    name: tunnelName,
    secretHash: await hashOf(secret),
  };
  session.learn({ tunnelIntents: [...facts.tunnelIntents, intent] });
  try {
    const answer = await session.api.post({
      path: tunnelPath(account),
      body: {
        name: tunnelName,
        config_src: "cloudflare",
        tunnel_secret: secret,
      },
      doing: `make the tunnel "${tunnelName}"`,
      needs: TUNNEL_PERMISSION,
    }, signal);
    const id = isObject(answer) ? idOf(answer) : null;
    if (isObject(answer)) noteSecretsOf(session, answer);
    if (id === null) return missingId(tunnelName);
    return keep(session, {
      account,
      id,
      name: tunnelName,
      isMade: true,
      since: context.clock.now(),
    });
  } catch (error) {
    if (!(error instanceof CloudflareRefusal)) throw error;
    if (!error.isUncertain && !error.isTaken) {
      // Nothing was made, for certain.
      const { tunnelIntents } = session.facts;
      session.learn({
        tunnelIntents: tunnelIntents.filter((other) => other !== intent),
      });
    }
    return error;
  }
}

function missingId(name: string): CloudflareRefusal {
  return new CloudflareRefusal({
    doing: `make the tunnel "${name}"`,
    reason: "garbled",
    status: 200,
    codes: [],
    words: "the answer names no tunnel",
    isUncertain: true,
    needs: TUNNEL_PERMISSION,
  });
}

/** Waits until what was just made is shown. */
async function lookFor(
  session: CloudflareSession,
  signal: AbortSignal,
): Promise<FoundTunnel | null> {
  for (const pause of VISIBLE_PAUSES_MS) {
    if (pause > 0) await session.context.clock.sleep(pause, signal);
    const found = await tunnelByName(session, signal);
    if (found !== null) return found;
  }
  return null;
}

function keep(session: CloudflareSession, tunnel: KnownTunnel): KnownTunnel {
  const intended = intentsFor(session);
  session.learn({
    tunnel,
    tunnelIntents: session.facts.tunnelIntents.filter((intent) =>
      !intended.includes(intent)
    ),
    // What stands in another tunnel's rules says nothing of this one.
    ingress: [],
  });
  return tunnel;
}

/** The remembered tunnel is no longer the project's. If we made it, it is kept in mind, to be pruned. */
function forget(session: CloudflareSession): void {
  const { tunnel, former } = session.facts;
  if (tunnel === null) return;
  session.learn({
    tunnel: null,
    former: tunnel.isMade ? [...former, tunnel] : former,
    ingress: [],
  });
}

function intentsFor(session: CloudflareSession): readonly TunnelIntent[] {
  return session.facts.tunnelIntents.filter(({ account, name }) =>
    account === session.account && name === session.tunnelName
  );
}

function noteSecretsOf(session: CloudflareSession, answer: JsonObject): void {
  const { noteSecret } = session.context;
  if (typeof answer.token === "string") noteSecret(answer.token);
  const credentials = answer.credentials_file;
  if (!isObject(credentials)) return;
  const { TunnelSecret } = credentials;
  if (typeof TunnelSecret === "string") noteSecret(TunnelSecret);
}

async function hashOf(secret: string): Promise<string> {
  const bytes = new TextEncoder().encode(secret);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
