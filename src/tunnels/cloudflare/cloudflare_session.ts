/**
 * One call of the provider: who asks Cloudflare, in which account, and what is remembered of the project there.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { TunnelContext } from "../tunnel_provider.ts";
import { type ApiPatience, CloudflareApi } from "./cloudflare_api.ts";
import {
  type CloudflareFacts,
  type KnownTunnel,
  recall,
  remember,
} from "./cloudflare_memory.ts";

/** For how long Cloudflare may not yet show everywhere what was just made. */
export const FRESH_MS = 60_000;

/** Pauses between looks for what was just made and is not shown yet. */
export const VISIBLE_PAUSES_MS: readonly number[] = [
  0,
  500,
  1_000,
  2_000,
  4_000,
];

/** What a session is made of. */
export interface SessionOptions {
  readonly context: TunnelContext;
  /** As `apiBase` gives it. */
  readonly base: string;
  readonly patience?: ApiPatience;
}

/** What all parts of the provider work with. */
export class CloudflareSession {
  readonly context: TunnelContext;
  readonly api: CloudflareApi;
  #facts: CloudflareFacts;

  /** @throws {TaskmuxError} E741 if there is no token. */
  constructor({ context, base, patience }: SessionOptions) {
    const { apiToken, apiTokenEnv } = context.cloudflare;
    if (apiToken.value === null) {
      throw new TaskmuxError(
        "E741",
        "Cannot ask Cloudflare: there is no API token",
        { hint: tokenFix(apiTokenEnv) },
      );
    }
    context.noteSecret(apiToken.value);
    this.context = context;
    this.api = new CloudflareApi({
      base,
      token: apiToken.value,
      clock: context.clock,
      ...(patience === undefined ? {} : { patience }),
    });
    this.#facts = recall(context.memory);
  }

  /** The account of the tunnel. @throws {TaskmuxError} E741 if none is set. */
  get account(): string {
    const account = this.context.cloudflare.accountId.value;
    if (account !== null) return account;
    throw new TaskmuxError(
      "E741",
      "Cannot ask Cloudflare for the tunnel: account_id is not set",
      { hint: "taskmux tunnel test tells how to set it" },
    );
  }

  /** What is remembered now. */
  get facts(): CloudflareFacts {
    return this.#facts;
  }

  /** Writes down what has changed; done when it returns. */
  learn(news: Partial<CloudflareFacts>): void {
    this.#facts = { ...this.#facts, ...news };
    remember(this.context.memory, this.#facts);
  }

  /** The name that a tunnel of this project has. */
  get tunnelName(): string {
    return this.context.cloudflare.tunnelName.value;
  }

  /** The remembered tunnel, if it is the one that the settings name. */
  get knownTunnel(): KnownTunnel | null {
    const { tunnel } = this.#facts;
    return tunnel !== null && tunnel.account === this.account &&
        tunnel.name === this.tunnelName
      ? tunnel
      : null;
  }
}

/** How to come to a token. */
export function tokenFix(variable: string): string {
  return `taskmux tunnel enable asks for a token and keeps it; or set the variable ${variable} in the shell that runs taskmux`;
}
