/**
 * What the proxy asks of the rest: where a name leads now.
 *
 * @module
 */

import type { HostName } from "../domain/host_name.ts";

/** Knows every name. What it says holds for one request: nothing is kept. */
export interface Router {
  /** The top-level domain of all names. */
  readonly tld: string;
  /** Whether a certificate may be issued for names of this project. Cheap; asked in each handshake. */
  knows(projectId: string): boolean;
  /**
   * Where a request goes. May wait for a task that is on its way up, as long as the signal lets it and never longer than
   * the router's own limit. Rejects only with the signal's reason.
   *
   * @param client Its signal, made when it is asked for.
   */
  find(
    name: HostName,
    client: { readonly signal: AbortSignal },
    options?: FindOptions,
  ): Promise<Route>;
  /** An upstream could not be reached, or broke the connection before its answer. What to tell instead. */
  failed(upstream: Upstream, error: Error): Refusal;
}

/** Who asks. */
export interface FindOptions {
  /** Whether it is a page elsewhere, for which no task is started. */
  readonly isForeign?: boolean;
}

/** Where a name leads. */
export type Route = Upstream | Refusal;

/** A listener to which requests go. */
export interface Upstream {
  readonly kind: "upstream";
  readonly port: number;
  /** Loopback addresses to try, in order. */
  readonly addresses: readonly string[];
  readonly projectId: string;
  /** Task or alias, for people. */
  readonly name: string;
  /** Changes when another listener answers there: connections are not kept beyond it. */
  readonly key: string;
}

/** Why a request goes nowhere, for people and programs. */
export interface Refusal {
  readonly kind: "refusal";
  readonly status: 400 | 502 | 503;
  /** Stable word, such as `not_running`. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  readonly projectId: string | null;
  readonly task: string | null;
  readonly state: string | null;
  /** A command to type. */
  readonly hint: string | null;
  /** Whether the same request may well succeed in a moment. */
  readonly isTransient: boolean;
  /** When to ask again, where that is known. */
  readonly retryAfterS?: number;
  /** The last words of the task, in order, without secrets. */
  readonly lines?: readonly string[];
}
