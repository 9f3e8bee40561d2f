/**
 * A person at the terminal of a task: keys one way, output the other, across daemons.
 *
 * @module
 */

import { type Client, connect } from "../client/client.ts";
import type { Result } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { Context } from "./context.ts";
import type { DetachKeys } from "./detach_keys.ts";

/** How long the next daemon is waited for. The task runs on meanwhile. */
const NEXT_DAEMON_MS = 30_000;

/** How often it is looked for. */
const LOOK_MS = 250;

/** What a program may have switched on that a shell does not expect: other screen, hidden cursor, mouse, paste, style. */
const TERMINAL_RESET =
  "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m";

/** Which terminal. */
export interface TerminalTarget {
  /** Absolute path of the project's file. */
  readonly config: string;
  readonly task: string;
}

/** How a session ended. */
export type SessionEnd =
  | { readonly reason: "detached" }
  | { readonly reason: "over"; readonly exitCode: number | null };

/** See the module. Needs a terminal on stdin and stdout, which it has in raw mode while it runs. */
export class TerminalSession {
  readonly #context: Context;
  readonly #target: TerminalTarget;
  readonly #keys: DetachKeys;
  readonly #left = new AbortController();
  #client: Client;
  #runId: string | null = null;
  #next = 0;

  constructor(
    context: Context,
    { client, target, keys }: {
      readonly client: Client;
      readonly target: TerminalTarget;
      readonly keys: DetachKeys;
    },
  ) {
    this.#context = context;
    this.#client = client;
    this.#target = target;
    this.#keys = keys;
  }

  /**
   * Runs until the run is over or the keys are typed. The client is closed then.
   *
   * @throws {TaskmuxError} E202 if the task does not run; E600 if the daemon went away and none came after it.
   */
  async run(): Promise<SessionEnd> {
    const leave = (): void => this.#leave();
    const resize = (): void => this.#resize();
    const signals = ["SIGTERM", "SIGHUP"] as const;
    Deno.stdin.setRaw(true);
    Deno.addSignalListener("SIGWINCH", resize);
    signals.forEach((signal) => Deno.addSignalListener(signal, leave));
    // Ends with this process: nothing can call back a read from a terminal.
    void this.#type();
    try {
      return await this.#follow();
    } finally {
      signals.forEach((signal) => Deno.removeSignalListener(signal, leave));
      Deno.removeSignalListener("SIGWINCH", resize);
      await this.#show(TERMINAL_RESET);
      Deno.stdin.setRaw(false);
      await this.#client.close();
    }
  }

  async #follow(): Promise<SessionEnd> {
    while (true) {
      try {
        return await this.#followOnce();
      } catch (error) {
        if (!this.#left.signal.aborted) {
          const isLost = error instanceof TaskmuxError && error.code === "E600";
          if (!isLost) throw error;
          await this.#untilNextDaemon(error);
        }
        if (this.#left.signal.aborted) return { reason: "detached" };
      }
    }
  }

  async #followOnce(): Promise<SessionEnd> {
    const { config, task } = this.#target;
    const items = this.#client.stream("terminal.attach", {
      scope: { config },
      task,
      run_id: this.#runId,
      from: this.#next,
      size: sizeNow(),
    }, { signal: this.#left.signal });
    for await (const item of items) {
      const end = await this.#take(item);
      if (end !== null) return end;
    }
    throw new TaskmuxError("E600", "The daemon has gone");
  }

  async #take(item: Result<"terminal.attach">): Promise<SessionEnd | null> {
    if ("run_id" in item) {
      if (this.#runId === null) {
        await this.#note(
          `Attached to ${this.#target.task}; ${this.#keys.text} leaves it`,
        );
      }
      this.#runId = item.run_id;
    } else if ("exit_code" in item) {
      return { reason: "over", exitCode: item.exit_code };
    } else {
      this.#next = item.next;
      if (item.dropped > 0) await this.#note(`${item.dropped} bytes skipped`);
      await this.#show(item.data);
    }
    return null;
  }

  /** Never starts one: whoever ended it may have meant it. Ends early when the keys are typed. */
  async #untilNextDaemon(cause: TaskmuxError): Promise<void> {
    const { task } = this.#target;
    await this.#client.close();
    await this.#note(
      `the daemon has gone; ${task} runs on. Waiting for the next one: ` +
        "taskmux daemon start",
    );
    const endsAt = systemClock.monotonic() + NEXT_DAEMON_MS;
    const { signal } = this.#left;
    const path = this.#context.paths.daemonSocket;
    try {
      while (systemClock.monotonic() < endsAt) {
        await systemClock.sleep(LOOK_MS, signal);
        const client = await connect(path, { signal });
        if (client === null) continue;
        this.#client = client;
        await this.#note("the daemon is back");
        return;
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    throw new TaskmuxError(
      "E600",
      `Cannot go on: the daemon has gone; task '${task}' runs on`,
      { hint: `taskmux daemon start; taskmux attach ${task}`, cause },
    );
  }

  async #type(): Promise<void> {
    const buffer = new Uint8Array(4 * 1024);
    const decoder = new TextDecoder();
    while (!this.#left.signal.aborted) {
      const count = await Deno.stdin.read(buffer).catch(() => null);
      if (count === null) return this.#leave();
      const typed = this.#keys.feed(buffer.subarray(0, count));
      const data = decoder.decode(typed.forward, { stream: true });
      if (data !== "") await this.#send(data);
      if (typed.isDetached) return this.#leave();
    }
  }

  async #send(data: string): Promise<void> {
    if (this.#runId === null) return;
    try {
      await this.#client.call("terminal.write", {
        scope: { config: this.#target.config },
        task: this.#target.task,
        run_id: this.#runId,
        data,
      });
    } catch (error) {
      // The run is over, its program does not read, or the daemon has gone: the other direction tells.
      if (!(error instanceof TaskmuxError)) throw error;
      await this.#show("\x07");
    }
  }

  #resize(): void {
    const size = sizeNow();
    if (size === null || this.#runId === null) return;
    this.#client.call("terminal.resize", {
      scope: { config: this.#target.config },
      task: this.#target.task,
      run_id: this.#runId,
      ...size,
    }).catch((error) => {
      if (!(error instanceof TaskmuxError)) throw error;
    });
  }

  #leave(): void {
    this.#left.abort(new DOMException("Detached", "AbortError"));
  }

  /** In raw mode a line feed alone does not go back to the first column. */
  async #note(text: string): Promise<void> {
    await this.#context.output.raw(`\r\n[taskmux] ${text}\r\n`);
  }

  async #show(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) {
      sent += await Deno.stdout.write(bytes.subarray(sent));
    }
  }
}

function sizeNow(): { cols: number; rows: number } | null {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { cols: columns, rows } : null;
  } catch (error) {
    // Not every terminal tells.
    if (error instanceof Error) return null;
    throw error;
  }
}
