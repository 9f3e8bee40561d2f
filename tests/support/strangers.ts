/**
 * Processes that taskmux has not started, in numbers: each test adds those that it fears for and asks after every
 * command whether all of them live.
 *
 * @module
 */

import assert from "node:assert/strict";
import { lives, procFiles } from "./processes.ts";
import { killIfThere } from "./taskmux.ts";

/** How a stranger is started. */
export interface StrangerOptions {
  /** Its whole environment; by default that of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Waits until it has printed its first line. */
  readonly speaks?: true;
}

/** See the module. Disposal ends all of them. */
export class Strangers implements AsyncDisposable {
  readonly #all: { readonly name: string; readonly pid: number }[] = [];
  readonly #children: Deno.ChildProcess[] = [];
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];

  /** Starts one. @returns Its pid. */
  async add(
    name: string,
    [program, ...args]: readonly [string, ...string[]],
    { env, speaks }: StrangerOptions = {},
  ): Promise<number> {
    const child = new Deno.Command(program, {
      args,
      ...env === undefined ? {} : { env: { ...env }, clearEnv: true },
      stdin: "null",
      stdout: speaks === true ? "piped" : "null",
    }).spawn();
    this.#all.push({ name, pid: child.pid });
    this.#children.push(child);
    if (speaks === true) {
      const reader = child.stdout.getReader();
      // Read no further, and not let go of either: a broken pipe would end it.
      this.#readers.push(reader);
      const { done } = await reader.read();
      if (done) throw new Error(`Cannot start ${name}: it said nothing`);
    }
    return child.pid;
  }

  /** Starts one in a session of its own, whose parent is gone. @returns Its pid. */
  async addOrphan(
    name: string,
    words: readonly string[],
    { env }: Pick<StrangerOptions, "env"> = {},
  ): Promise<number> {
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", 'setsid "$@" >/dev/null 2>&1 & echo "$!"', "sh", ...words],
      ...env === undefined ? {} : { env: { ...env }, clearEnv: true },
      stdin: "null",
    }).output();
    const pid = Number(new TextDecoder().decode(stdout));
    this.#all.push({ name, pid });
    return pid;
  }

  /** Fails unless all live. */
  assertUnhurt(after: string): void {
    const dead = this.#all.filter(({ pid }) => !lives(pid))
      .map(({ name, pid }) => `${name} (pid ${pid})`);
    assert.deepEqual(dead, [], `strangers that died: ${after}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid } of this.#all) killIfThere(pid);
    for (const child of this.#children) await child.status;
    for (const reader of this.#readers) await reader.cancel();
  }
}

/** The environment that a living process began with. Linux only. */
export function environmentOf(pid: number): Record<string, string> {
  const text = procFiles().text(`/proc/${pid}/environ`) ?? "";
  return Object.fromEntries(
    text.split("\0").filter((pair) => pair.includes("=")).map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
