/**
 * Who may use the port of the API at all: this user and root. Every user of a machine reaches its loopback, and whoever
 * may start tasks runs programs as this user.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { Clock } from "../kit/clock.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import type { KeeperRequests } from "../pty/protocol.ts";
import type { Keeper } from "../supervisor/keeper.ts";
import type { GateEnds } from "../transports/connection_gate.ts";

/** Longest wait for the keeper; the connection waits as long. */
const ANSWER_MS = 5_000;

const ROOT = 0;

/** What an admission needs. */
export interface AdmissionOptions {
  readonly keeper: Keeper;
  readonly clock: Clock;
  /** Called for each refusal, with the reason. */
  onRefused(message: string): void;
  /** Called with each answer: whether the keeper is too old to know. */
  onKeeperAge(isTooOld: boolean): void;
}

/**
 * Decides about connections. Who cannot be told from a stranger is one: there is no keeper that answers, or it is older.
 * Where the system tells nobody's owner everybody may ask, see `docs/decisions/0028`.
 *
 * @returns A function that never rejects.
 */
export function createAdmission(
  options: AdmissionOptions,
): (ends: GateEnds) => Promise<boolean> {
  return async (ends) => {
    const refusal = await refusalOf(ends, options);
    if (refusal === null) return true;
    options.onRefused(`a connection to its port was refused: ${refusal}`);
    return false;
  };
}

async function refusalOf(
  ends: GateEnds,
  options: AdmissionOptions,
): Promise<string | null> {
  const answer = await askOwners(ends, options);
  if (typeof answer === "string") return answer;
  if ("unknown" in answer) return null;
  const { client, server } = answer;
  if (client === null) return "its process is gone, or cannot be seen";
  if (client === ROOT || client === server) return null;
  return `it is user ${client}'s`;
}

/** What the keeper says, or why it says nothing. */
async function askOwners(
  ends: GateEnds,
  { keeper, clock, onKeeperAge }: AdmissionOptions,
): Promise<KeeperRequests["connectionOwners"]["result"] | string> {
  const never = new AbortController().signal;
  try {
    const owners = await withDeadline(
      { clock, ms: ANSWER_MS, signal: never },
      (signal) => keeper.request("connectionOwners", ends, signal),
    );
    onKeeperAge(false);
    return owners;
  } catch (error) {
    const isNamed = error instanceof TaskmuxError ||
      error instanceof DeadlineError;
    if (!isNamed) throw error;
    const isTooOld = error instanceof TaskmuxError &&
      error.details?.["keeper_code"] === "invalid";
    if (isTooOld) onKeeperAge(true);
    return `whose it is cannot be told: ${error.message}`;
  }
}
