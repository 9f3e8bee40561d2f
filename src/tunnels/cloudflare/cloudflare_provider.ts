/**
 * Public names on one's own domain: a named tunnel of Cloudflare for each project, set up by Cloudflare's API.
 *
 * Whose tunnel and records are ours, and what becomes of the others: docs/decisions/0032.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { explainCloudflared } from "../cloudflared_words.ts";
import type {
  TunnelContext,
  TunnelProcess,
  TunnelProvider,
  TunnelTarget,
} from "../tunnel_provider.ts";
import { apiBase } from "./cloudflare_api.ts";
import { checkCloudflare } from "./cloudflare_check.ts";
import { CloudflareRefusal } from "./cloudflare_refusal.ts";
import { CloudflareSession, tokenFix } from "./cloudflare_session.ts";
import { closeTunnel } from "./close_tunnel.ts";
import { removeConnectors, writeConnector } from "./connector_files.ts";
import { applyIngress } from "./apply_ingress.ts";
import { contentFor, ensureRecord, requireRoom } from "./project_records.ts";
import { runTokenOf } from "./found_tunnel.ts";
import { ensureTunnel, judgeTunnel } from "./project_tunnel.ts";
import { planNames, type PublicName, seenZones } from "./public_names.ts";
import { tokenState } from "./token_state.ts";

/** What the program says when its token is good for nothing (any more). */
const NOT_LET_IN =
  /Provided Tunnel token is not valid|Unauthorized: (?:Invalid tunnel secret|Tunnel not found)/i;

/** How the provider is set up. */
export interface CloudflareProviderOptions {
  /** What `TASKMUX_CLOUDFLARE_API` says; only an address of this machine is taken, E500 and a failed check else. */
  readonly apiBase?: string | null;
}

/** The provider `cloudflare`. */
export function cloudflareProvider(
  { apiBase: override = null }: CloudflareProviderOptions = {},
): TunnelProvider {
  const withSession = async <T>(
    context: TunnelContext,
    signal: AbortSignal,
    work: (session: CloudflareSession) => Promise<T>,
  ): Promise<T> => {
    const session = new CloudflareSession({ context, base: apiBase(override) });
    try {
      return await work(session);
    } catch (error) {
      throw await explained(session, error, signal);
    }
  };
  return {
    backend: "cloudflare",
    carries: "project",
    hostnames: "required",
    reaches: ["public"],
    check: (targets, context, signal) =>
      checkCloudflare({ targets, context, apiBase: override }, signal),
    open: (targets, context, signal) =>
      withSession(
        context,
        signal,
        (session) => openTunnel(session, targets, signal),
      ),
    addressOf: ({ hostname, task }) =>
      hostname === null
        ? Promise.reject(nameless(task))
        : Promise.resolve(`https://${hostname}`),
    explain: (line) =>
      NOT_LET_IN.test(line)
        ? "Cloudflare does not let the program in: the tunnel was deleted there, or its secret was changed; taskmux tunnel up sets it right"
        : explainCloudflared(line),
    close: async (context, options, signal) => {
      // First of all, and without anybody's help: without its token cloudflared does not come back.
      await removeConnectors(context.folder);
      if (context.memory.load() === null) return { removed: [], left: [] };
      return await withSession(
        context,
        signal,
        (session) => closeTunnel(session, options, signal),
      );
    },
  };
}

/** In an order in which what was done before a fault is of use afterwards, and looks come before changes. */
async function openTunnel(
  session: CloudflareSession,
  targets: readonly TunnelTarget[],
  signal: AbortSignal,
): Promise<TunnelProcess> {
  const names = await namesOf(session, targets, signal);
  const verdict = await judgeTunnel(session, targets, signal);
  const present = verdict.kind === "absent"
    ? null
    : contentFor(verdict.tunnel.id);
  const missing: PublicName[] = [];
  for (const name of names) {
    const wanted = { name, content: present };
    if (!await requireRoom(session, wanted, signal)) missing.push(name);
  }
  const ready = await ensureTunnel(session, { targets, verdict }, signal);
  const { tunnel } = ready;
  await applyIngress(session, { ...ready, targets }, signal);
  for (const name of missing) {
    await ensureRecord(
      session,
      { name, content: contentFor(tunnel.id) },
      signal,
    );
  }
  const token = await runTokenOf(session, tunnel, signal);
  const { folder } = session.context;
  return await writeConnector({ folder, tunnelId: tunnel.id }, token);
}

/** The names of the targets. @throws {TaskmuxError} E741 if something is wrong with one. */
async function namesOf(
  session: CloudflareSession,
  targets: readonly TunnelTarget[],
  signal: AbortSignal,
): Promise<PublicName[]> {
  const plans = planNames(session, targets, await seenZones(session, signal));
  return plans.map((plan) => {
    if ("name" in plan) return plan.name;
    throw new TaskmuxError(
      "E741",
      `Cannot make ${plan.hostname} public: ${plan.detail}`,
      { hint: plan.fix },
    );
  });
}

function nameless(task: string): TaskmuxError {
  return new TaskmuxError(
    "E741",
    `Cannot make task ${task} public: it has no public_hostname`,
    { hint: `Give it one, such as ${task}.example.com, in taskmux.toml` },
  );
}

/** Where Cloudflare denies something without saying why: whether it is the token or what the token may do. */
async function explained(
  session: CloudflareSession,
  error: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(error instanceof CloudflareRefusal) || !error.isDenied) return error;
  signal.throwIfAborted();
  const state = await tokenState(session, signal);
  if (state.kind !== "bad") return error;
  const { apiTokenEnv } = session.context.cloudflare;
  return new TaskmuxError("E741", `Cannot ${error.doing}: ${state.detail}`, {
    hint: `${state.fix}; else: ${tokenFix(apiTokenEnv)}`,
    ...(error.details === undefined ? {} : { details: error.details }),
  });
}
