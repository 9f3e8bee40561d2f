/**
 * Runs a helper program to its end in bounded time, with bounded output, and takes down everything it started when it
 * does not end by itself.
 *
 * For programs that taskmux runs for its own ends (probes, hooks, git). Not for tasks: those have terminals, and
 * descendants that leave the process group are beyond what is done here.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { settledWithin } from "./deadline.ts";

/** How long the output of a program that has ended is still waited for when something else holds the pipe. */
const DRAIN_MS = 100;

/** How long a killed program is waited for. Longer only in an uninterruptible system call, which nobody can end. */
const REAP_MS = 1_000;

/** For waits that nobody can cancel because they are short. */
const NEVER = new AbortController().signal;

/** What to run and within which bounds. */
export interface CommandRequest {
  readonly argv: readonly [program: string, ...args: string[]];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Between SIGTERM and SIGKILL when the program must be ended. */
  readonly killGraceMs: number;
  /** How much of the end of the output is kept. */
  readonly outputLimitBytes: number;
  readonly stderr: "merge" | "discard";
  /** What becomes of processes of the group that outlive a program which ended in time. */
  readonly leftovers: "kill" | "leave";
  readonly clock: Clock;
  /** Ends the program like the timeout does. */
  readonly signal: AbortSignal;
}

/** How it went. `output` is the end of what was written, invalid UTF-8 replaced. */
export type CommandOutcome =
  | {
    readonly kind: "exited";
    readonly code: number;
    /** The signal that ended it, or null. */
    readonly signal: string | null;
    readonly output: string;
  }
  | { readonly kind: "timed_out"; readonly output: string }
  /** It could not be started; `reason` says why in a few words. */
  | { readonly kind: "not_started"; readonly reason: string };

/**
 * Runs a program in a process group of its own, without input.
 *
 * Never waits for background processes that keep the output open. A program that is not done in time gets SIGTERM,
 * then SIGKILL, as does its whole group.
 *
 * @throws The signal's reason once the group is ended, if the signal aborts.
 */
export async function runCommand(
  request: CommandRequest,
): Promise<CommandOutcome> {
  request.signal.throwIfAborted();
  const child = await spawn(request);
  if (typeof child === "string") return { kind: "not_started", reason: child };
  const tail = new OutputTail(request.outputLimitBytes);
  const readers = [child.stdout.getReader()];
  if (request.stderr === "merge") readers.push(child.stderr.getReader());
  const drained = Promise.all(readers.map((reader) => pump(reader, tail)));
  const { clock, signal } = request;
  try {
    const ms = request.timeoutMs;
    if (!await settledWithin(child.status, { clock, ms, signal })) {
      await endGroup(child, drained, request);
      return { kind: "timed_out", output: tail.text() };
    }
    if (request.leftovers === "kill") signalGroup(child.pid, "SIGKILL");
    await settledWithin(drained, { clock, ms: DRAIN_MS, signal: NEVER });
    const status = await child.status;
    return {
      kind: "exited",
      code: status.code,
      signal: status.signal,
      output: tail.text(),
    };
  } catch (error) {
    if (signal.aborted) await endGroup(child, drained, request);
    throw error;
  } finally {
    for (const reader of readers) await reader.cancel();
    await drained;
  }
}

/** The child, or why there is none. */
async function spawn(
  request: CommandRequest,
): Promise<Deno.ChildProcess | string> {
  const [program, ...args] = request.argv;
  // A missing folder and a missing program are the same error to the runtime; the user must know which.
  const folder = await Deno.stat(request.cwd).catch(whenMissing);
  if (!folder?.isDirectory) return `folder "${request.cwd}" does not exist`;
  try {
    return new Deno.Command(program, {
      args,
      cwd: request.cwd,
      env: { ...request.env },
      clearEnv: true,
      detached: true,
      stdin: "null",
      stdout: "piped",
      stderr: request.stderr === "merge" ? "piped" : "null",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `program "${program}" does not exist`;
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return `program "${program}" may not be executed`;
    }
    throw error;
  }
}

function whenMissing(error: unknown): null {
  if (
    error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied
  ) return null;
  throw error;
}

async function endGroup(
  child: Deno.ChildProcess,
  drained: Promise<unknown>,
  { clock, killGraceMs }: CommandRequest,
): Promise<void> {
  signalGroup(child.pid, "SIGTERM");
  const ended = Promise.all([child.status, drained]);
  await settledWithin(ended, { clock, ms: killGraceMs, signal: NEVER });
  // Always, as a member of the group may have closed its output. The group's number cannot have been given to another
  // program in this short time: the kernel hands out process numbers in a circle.
  signalGroup(child.pid, "SIGKILL");
  await settledWithin(child.status, { clock, ms: REAP_MS, signal: NEVER });
}

function signalGroup(leader: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-leader, signal);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    // macOS says so of a group in which only zombies are left.
    if (error instanceof Deno.errors.PermissionDenied) return;
    throw error;
  }
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  tail: OutputTail,
): Promise<void> {
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    tail.append(value);
  }
}

/** The last bytes of a stream. */
class OutputTail {
  readonly #limitBytes: number;
  #bytes = new Uint8Array(0);

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  append(chunk: Uint8Array): void {
    const kept = Math.max(0, this.#limitBytes - chunk.length);
    const old = kept === 0 ? new Uint8Array(0) : this.#bytes.subarray(-kept);
    const added = chunk.subarray(-this.#limitBytes);
    const joined = new Uint8Array(old.length + added.length);
    joined.set(old);
    joined.set(added, old.length);
    this.#bytes = joined;
  }

  text(): string {
    let start = 0;
    // A cut may have left the end of a character at the front.
    if (this.#bytes.length === this.#limitBytes) {
      while (start < 3 && (this.#bytes[start] ?? 0) >> 6 === 0b10) start++;
    }
    return new TextDecoder().decode(this.#bytes.subarray(start));
  }
}
