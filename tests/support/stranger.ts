/**
 * A process that taskmux has not started and must never touch.
 *
 * @module
 */

import { PROGRAMS } from "./keeper.ts";

/** A program of `tests/fixtures/programs` that runs beside taskmux. Disposal ends it. */
export interface Stranger extends AsyncDisposable {
  readonly pid: number;
  /** How it ended, once it has. */
  readonly status: Promise<Deno.CommandStatus>;
}

/** Starts a program and waits for its first line of output. */
export async function startStranger(
  name: string,
  ...args: string[]
): Promise<Stranger> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-config",
      "--allow-net=127.0.0.1",
      `${PROGRAMS}/${name}`,
      ...args,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  if (done) throw new Error(`Cannot start ${name}: it said nothing`);
  return {
    pid: child.pid,
    status: child.status,
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await child.status;
      await reader.cancel();
    },
  };
}
