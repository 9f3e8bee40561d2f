/**
 * Proxies for a scenario.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { findProxies, type FoundProxies } from "../subjects/proxies.ts";
import type { ProxySession, ProxySubject } from "../subjects/proxy_subject.ts";
import type { BenchContext } from "./scenario.ts";

const CLIENT = fileURLToPath(
  new URL("../programs/proxy_client.ts", import.meta.url),
);

/** A proxy that listens. */
export interface RunningProxy {
  readonly subject: ProxySubject;
  readonly session: ProxySession;
}

/** What came up, and sentences about what did not. */
export interface OpenProxies {
  readonly running: readonly RunningProxy[];
  readonly remarks: readonly string[];
}

/** Starts all proxies that are here; `--quick` means taskmux only. The stack ends them. */
export async function openProxies(
  context: BenchContext,
  stack: AsyncDisposableStack,
): Promise<OpenProxies> {
  const found = await findProxies(Deno.env.toObject(), context.signal);
  return await openAll(found, context, stack);
}

/** Starts what was found; `--quick` means the first only. The stack ends them. */
export async function openAll(
  { proxies, missing }: FoundProxies,
  { quick, signal }: BenchContext,
  stack: AsyncDisposableStack,
): Promise<OpenProxies> {
  const running: RunningProxy[] = [];
  const remarks = missing.map((name) => `${name} is not installed here.`);
  for (const subject of quick ? proxies.slice(0, 1) : proxies) {
    try {
      const session = stack.use(await subject.open(signal));
      running.push({ subject, session });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      remarks.push(`${subject.name} did not come up: ${error.message}`);
    }
  }
  for (const { subject } of running) {
    remarks.push(`${subject.name} ${subject.version}: ${subject.settings}.`);
  }
  return { running, remarks };
}

/** The client of `programs/proxy_client.ts`, ready to be spawned. */
export function proxyClient(
  { sandbox, port }: ProxySession,
  what: "stream" | "websocket" | "idle",
  { count, stdin = "null" }: {
    readonly count: number;
    readonly stdin?: "null" | "piped";
  },
): Deno.Command {
  return sandbox.command({
    program: "deno",
    args: [
      "run",
      "--quiet",
      "-A",
      // Each proxy has a certificate of its own authority.
      "--unsafely-ignore-certificate-errors",
      CLIENT,
      what,
      String(port),
      String(count),
    ],
  }, { stdin, stdout: "piped", stderr: "null" });
}
