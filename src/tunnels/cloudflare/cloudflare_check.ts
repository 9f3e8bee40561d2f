/**
 * What has to be right before a named tunnel can be opened: each missing piece by itself, with its remedy.
 *
 * Only reads. What cannot be told because something before it is wrong is left out.
 *
 * @module
 */

import { sourceText } from "../../config/tunnel_settings.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { shellQuote } from "../../kit/shell_words.ts";
import { CLOUDFLARED } from "../cloudflared_words.ts";
import { checkProgram, type NeededProgram } from "../program_check.ts";
import type {
  TunnelCheck,
  TunnelContext,
  TunnelTarget,
} from "../tunnel_provider.ts";
import { checkAccount, checkTunnel, NO_TUNNEL } from "./account_checks.ts";
import { failed, passed } from "./check_answer.ts";
import { apiBase, type ApiPatience } from "./cloudflare_api.ts";
import { CloudflareRefusal } from "./cloudflare_refusal.ts";
import { CloudflareSession, tokenFix } from "./cloudflare_session.ts";
import { checkNames, checkRecords, NO_NAMES } from "./name_checks.ts";
import { tokenState } from "./token_state.ts";

/** A person waits for the answer. */
const PATIENCE: ApiPatience = { attempts: 3, limitMs: 10_000 };

/** The first version that takes its token from the environment. */
const PROGRAM: NeededProgram = { ...CLOUDFLARED, minimum: "2022.3" };

/** What is to be checked. */
export interface CheckSubject {
  readonly targets: readonly TunnelTarget[];
  readonly context: TunnelContext;
  /** What `TASKMUX_CLOUDFLARE_API` says. */
  readonly apiBase: string | null;
}

/** All checks, in a fixed order. @throws Only the signal's reason. */
export async function checkCloudflare(
  subject: CheckSubject,
  signal: AbortSignal,
): Promise<readonly TunnelCheck[]> {
  const [binary, remote] = await Promise.all([
    checkProgram(PROGRAM, subject.context, signal),
    checkRemote(subject, signal),
  ]);
  return [checkFileMode(subject.context), binary.check, ...remote];
}

function checkFileMode({ cloudflare }: TunnelContext): TunnelCheck {
  const { tokenFlaw } = cloudflare;
  if (tokenFlaw === null) {
    return passed("config_file_mode", "no token lies where others can read it");
  }
  const path = /^"([^"]+)"/.exec(tokenFlaw)?.[1] ?? "~/.taskmux/config.toml";
  return failed("config_file_mode", {
    detail: tokenFlaw,
    fix: `chmod 600 ${path.startsWith("~") ? path : shellQuote(path)}`,
  });
}

async function checkRemote(
  { targets, context, apiBase: override }: CheckSubject,
  signal: AbortSignal,
): Promise<TunnelCheck[]> {
  const { apiToken, apiTokenEnv, accountId } = context.cloudflare;
  const account = accountId.value === null ? [] : [
    passed("account_id", `${accountId.value}, ${sourceText(accountId.source)}`),
  ];
  try {
    const base = apiBase(override);
    if (apiToken.value === null) {
      const missing = failed("api_token", {
        detail: "there is no API token",
        fix: tokenFix(apiTokenEnv),
      });
      return [missing, ...account];
    }
    const session = new CloudflareSession({
      context,
      base,
      patience: PATIENCE,
    });
    const state = await tokenState(session, signal);
    if (state.kind === "unknown") throw state.refusal;
    if (state.kind === "bad") {
      return [failed("api_token", state), ...account];
    }
    const token = passed(
      "api_token",
      `${state.detail}, ${sourceText(apiToken.source)}`,
    );
    return [token, ...await checkWithToken(session, targets, signal)];
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TaskmuxError)) throw error;
    return [outOfReach(error), ...account];
  }
}

async function checkWithToken(
  session: CloudflareSession,
  targets: readonly TunnelTarget[],
  signal: AbortSignal,
): Promise<TunnelCheck[]> {
  const trouble: CloudflareRefusal[] = [];
  // What one part cannot tell must not hide what another can.
  const orElse = async <T>(found: Promise<T>, fallback: T): Promise<T> => {
    try {
      return await found;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CloudflareRefusal)) throw error;
      trouble.push(error);
      return fallback;
    }
  };
  const hasAccount = session.context.cloudflare.accountId.value !== null;
  const [found, tunnel] = await Promise.all([
    orElse(checkNames(session, targets, signal), NO_NAMES),
    hasAccount
      ? orElse(checkTunnel(session, targets, signal), NO_TUNNEL)
      : NO_TUNNEL,
  ]);
  const [account, records] = await Promise.all([
    orElse(checkAccount(session, { ...found, ...tunnel }, signal), []),
    orElse(
      checkRecords(session, { names: found.names, ...tunnel }, signal),
      [],
    ),
  ]);
  return [
    ...account,
    ...tunnel.scope,
    ...found.checks,
    ...records,
    ...tunnel.checks,
    ...trouble.slice(0, 1).map(outOfReach),
  ];
}

/** Cloudflare cannot be asked: nothing can be said of what it would tell. */
function outOfReach({ message, hint }: TaskmuxError): TunnelCheck {
  return failed("cloudflare_api", {
    detail: message,
    fix: hint ?? "Try again",
  });
}
