/**
 * What can be measured of proxies: one that ends TLS for a name and leads to a server on this machine.
 *
 * @module
 */

import type { ProcessRow } from "../harness/process_facts.ts";
import type { Program, Sandbox } from "../harness/sandbox.ts";
import { until } from "../../tests/support/until.ts";

/** The name that leads to the server; a task of taskmux has it as `host = "web"` in the project `bench`. */
export const PROXIED_NAME = "web.bench.localhost";

/** A proxy that listens, and the server behind it. */
export interface ProxySession extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** Of the proxy, on 127.0.0.1. */
  readonly port: number;
  /** Of the server behind it. */
  readonly upstreamPort: number;
  /** The processes of the proxy: without the server. */
  pids(): Promise<number[]>;
}

/** A proxy. */
export interface ProxySubject {
  readonly name: string;
  readonly version: string;
  /** In which way its settings differ from its defaults; for the report. */
  readonly settings: string;
  /** Starts it with a server of its own behind it. Disposal ends both. */
  open(signal: AbortSignal): Promise<ProxySession>;
}

/** Waits until somebody listens. @throws {Error} After a while. */
export async function whenListening(port: number): Promise<void> {
  await until(async () => {
    try {
      using _conn = await Deno.connect({ hostname: "127.0.0.1", port });
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      return false;
    }
  }, { what: `a listener on port ${port}` });
}

/** Starts a program that ends with its sandbox. */
export function startInBackground(sandbox: Sandbox, program: Program): void {
  sandbox.command(program, { stdout: "null", stderr: "null" }).spawn().unref();
}

/** The processes of a sandbox whose command lines do not have this text, shells around them left out. */
export async function pidsWithout(
  sandbox: Sandbox,
  text: string,
): Promise<number[]> {
  const isProxy = ({ args }: ProcessRow): boolean =>
    !args.includes(text) && !args.startsWith("/bin/sh");
  return (await sandbox.processes()).filter(isProxy).map(({ pid }) => pid);
}
