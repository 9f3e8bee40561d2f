/**
 * Connections to tasks, kept for the next request.
 *
 * @module
 */

import { Agent } from "node:http";
import type { Upstream } from "./router.ts";

/** Longest silence of a kept connection. Shorter than what servers allow, so that few are lost to a race. */
const IDLE_MS = 4_000;

/** Kept connections per upstream. */
const MAX_IDLE = 32;

/** One pool per listener. */
export class UpstreamAgents implements Disposable {
  readonly #agents = new Map<string, Agent>();

  /** The pool of an upstream. */
  of({ key }: Upstream): Agent {
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const agent = new Agent({
      keepAlive: true,
      maxFreeSockets: MAX_IDLE,
      timeout: IDLE_MS,
    });
    this.#agents.set(key, agent);
    return agent;
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}
