/**
 * Targets and servers for the tests of health probes.
 *
 * @module
 */

import { Redactor } from "../../src/domain/redactor.ts";
import type { ProbeTarget } from "../../src/health/health_probe.ts";
import { probe } from "../../src/health/mod.ts";
import { systemClock } from "../../src/kit/clock.ts";
import type { HealthSpec } from "../../src/domain/task_spec.ts";
import type { ProbeResult } from "../../src/domain/task_state.ts";

/** A task without any probe of its own. */
const HEALTH: HealthSpec = {
  url: null,
  expectedStatus: 200,
  expectedBody: null,
  check: null,
  readyLog: null,
  intervalMs: 10_000,
  timeoutMs: 20_000,
  retries: 3,
  bootGraceMs: 10_000,
};

/** A living target; `health` is merged over the defaults. */
export function target(
  options: Partial<Omit<ProbeTarget, "health">> & {
    readonly health?: Partial<HealthSpec>;
  } = {},
): ProbeTarget {
  return {
    port: null,
    alive: true,
    env: { PATH: Deno.env.get("PATH") ?? "" },
    cwd: "/",
    shell: null,
    redactor: new Redactor(),
    ...options,
    health: { ...HEALTH, ...options.health },
  };
}

/** Probes once without any intention to cancel. */
export function look(of: ProbeTarget): Promise<ProbeResult> {
  const { signal } = new AbortController();
  return probe(of, { clock: systemClock, signal });
}

/** A server that accepts connections and never says a word. */
export class SilentServer implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #connections: Deno.Conn[] = [];
  readonly #accepting: Promise<void>;
  readonly accepted: Promise<void>;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.accepted = promise;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept(resolve);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(onAccept: () => void): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.push(connection);
      onAccept();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) connection.close();
  }
}
