/**
 * The output of a process that is still running, line by line.
 *
 * @module
 */

import { until } from "./until.ts";

/** A process whose output is read as it comes. Disposal ends it by SIGINT and waits for that. */
export class LineReader implements AsyncDisposable {
  /** Lines so far, without their ends. */
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  /** @param child Its stdout must be piped. What it says on stderr is dropped. */
  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = Promise.all([
      this.#read(child.stdout),
      child.stderr.cancel(),
    ]).then(() => {});
  }

  /** The lines once there are at least so many. */
  async atLeast(count: number): Promise<readonly string[]> {
    await until(() => this.lines.length >= count, {
      what: `${count} lines of output`,
    });
    return this.lines;
  }

  /** Ends the process and tells how it ended. */
  async interrupt(): Promise<Deno.CommandStatus> {
    try {
      this.#child.kill("SIGINT");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#reading;
    return await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.interrupt();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      this.lines.push(...parts);
    }
  }
}
