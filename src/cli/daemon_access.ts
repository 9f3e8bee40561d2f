/**
 * How commands reach the daemon: those that act start it, those that look do not.
 *
 * @module
 */

import { type Client, connect } from "../client/client.ts";
import type { CallName, ParamsInput, Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { Context } from "./context.ts";

/**
 * How long an answer to a question may take. Questions do no work of their own, beside a probe; a daemon that is
 * silent for so long is stuck. Actions have no such limit.
 */
export const QUESTION_TIMEOUT_MS = 60_000;

/** Operations whose answers are given as they are, as the contract has it. */
export const SHOWN: readonly CallName[] = [
  "address.get",
  "address.list",
  "address.open",
  "project.env",
  "project.secrets",
  "tunnel.up",
  "tunnel.link",
];

/** The daemon, if one listens. */
export async function findDaemon(context: Context): Promise<Client | null> {
  return await dial(context);
}

/** The same surroundings for a command that has no place for what is new to its caller, such as a stream. */
export function unnamed(context: Context): Context {
  const { caller: _caller, ...manner } = context.manner;
  return { ...context, manner };
}

/**
 * The daemon, for questions that only it can answer.
 *
 * @throws {TaskmuxError} E600 if none listens.
 */
export async function requireDaemon(context: Context): Promise<Client> {
  const client = await findDaemon(context);
  if (client !== null) return client;
  throw new TaskmuxError(
    "E600",
    "Cannot answer that: the daemon is not running",
    { hint: "taskmux daemon start" },
  );
}

/** The daemon; started, with these arguments of its own, if there is none. */
export async function needDaemon(
  context: Context,
  signal?: AbortSignal,
  args: readonly string[] = [],
): Promise<Client> {
  const present = await dial(context, signal);
  if (present !== null) return present;
  const { ensureDaemon } = await import("../client/spawn_daemon.ts");
  const { paths, user, manner, news } = context;
  return await ensureDaemon(paths, {
    signal,
    args,
    user,
    connection: { manner, news },
  });
}

/**
 * The daemon, started only if there is something for it to act on: a keeper that holds tasks without a daemon. Null if
 * nothing of ours can be running.
 */
export async function findOrReviveDaemon(
  context: Context,
  signal?: AbortSignal,
  args: readonly string[] = [],
): Promise<Client | null> {
  const present = await dial(context, signal);
  if (present !== null) return present;
  const { isKeeperAlive } = await import("../client/lock_probe.ts");
  if (!await isKeeperAlive(context.paths)) return null;
  return await needDaemon(context, signal, args);
}

/**
 * Asks a question of a daemon that is there.
 *
 * @throws {TaskmuxError} E600 if it takes longer than {@linkcode QUESTION_TIMEOUT_MS}.
 */
export async function ask<N extends CallName>(
  client: Client,
  name: N,
  params: ParamsInput<N>,
): Promise<Result<N>> {
  const signal = AbortSignal.timeout(QUESTION_TIMEOUT_MS);
  try {
    return await client.call(name, params, { signal });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    const seconds = QUESTION_TIMEOUT_MS / 1000;
    throw new TaskmuxError(
      "E600",
      `Cannot get an answer from the daemon: it was silent for ${seconds} s`,
      { hint: "taskmux daemon restart", cause: error },
    );
  }
}

/**
 * The answer to a question: of the daemon if there is one, else from what is on disk. Without secrets unless they are to
 * be shown.
 *
 * @param offline Answers without a daemon; its module is loaded only then.
 */
export async function askOrRead<N extends CallName>(
  context: Context,
  [name, params]: readonly [name: N, params: ParamsInput<N>],
  offline: () => Promise<Result<N>>,
): Promise<Result<N>> {
  const client = await findDaemon(context);
  if (client === null) {
    const answer = await offline();
    if (SHOWN.includes(name)) return answer;
    const { safeAnswer } = await import("./redaction.ts");
    return await safeAnswer(context, configOf(params), answer);
  }
  try {
    return await ask(client, name, params);
  } finally {
    await client.close();
  }
}

/**
 * Asks the daemon, if there is one, only for what is new to the caller: for commands whose answer comes from elsewhere.
 * Without a caller it does nothing.
 */
export async function askNews(
  context: Context,
  scope: ParamsInput<"event.list">["scope"],
): Promise<void> {
  if (context.manner.caller === undefined) return;
  const params = { ...scope === undefined ? {} : { scope }, limit: 1 };
  await using client = await findDaemon(context);
  if (client !== null) await ask(client, "event.list", params);
}

/** The file of the project that a question is about; null = any. */
function configOf(params: unknown): string | null {
  const { scope } = params as {
    readonly scope?: { readonly config?: string };
  };
  return scope?.config ?? null;
}

function dial(
  { paths: { daemonSocket, home }, manner, news }: Context,
  signal?: AbortSignal,
): Promise<Client | null> {
  return connect(daemonSocket, { signal, home, manner, news });
}
