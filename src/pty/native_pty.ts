/**
 * One program on a terminal of its own, through the native layer of node-pty.
 *
 * The public class of node-pty is not used: it reports an exit up to 200 ms late, throws output away when a survivor holds
 * the terminal, and closes the terminal, which hangs up the program, as soon as the program closes its own side.
 * Here the terminal stays open until {@linkcode NativePty.close}, and reading resumes if somebody opens it again.
 *
 * @module
 */

import { requireBinary } from "@lydell/node-pty/requireBinary.js";
import { Module } from "node:module";
import { constants } from "node:os";
import { ReadStream } from "node:tty";
import { Timer } from "../kit/timer.ts";
import { inLaterTurn } from "../kit/turn.ts";
import type { BirthMarks, System } from "./system.ts";

/** Keystrokes that may wait for a program that does not read. */
export const MAX_INPUT_BYTES = 1024 * 1024;

/** Output that is read from one terminal before everything else gets a turn. */
const TURN_BYTES = 64 * 1024;

/** What the kernel gives at most in one read from a terminal. */
const READ_BYTES = 4096;

/** How often a terminal that nobody has open on the program's side is looked at again. */
const REATTACH_MS = 1_000;

/** The native functions. Loading needs the permission for native code, using them does not. */
export interface PtyModule {
  fork(
    program: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (code: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number; readonly pty: string };
  resize(fd: number, cols: number, rows: number): void;
}

/** What to start. */
export interface PtyProgram extends BirthMarks {
  /** Absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly cols: number;
  readonly rows: number;
}

/** What a terminal tells its owner. */
export interface PtyListener {
  /** Output, valid only during the call. */
  onData(chunk: Uint8Array): void;
  /** The program itself ended. Output may still follow. Exactly one of the two is set. */
  onExit(code: number | null, signal: string | null): void;
}

/** The native module and what it needs. */
export interface PtyHost {
  readonly module: PtyModule;
  /** Path of the program that macOS needs between fork and exec. */
  readonly helperPath: string;
  readonly system: System;
  /** Where terminals read into. Shared, because it is used up before anybody else reads. */
  readonly buffer: Uint8Array<ArrayBuffer>;
}

/** Loads the native module. Needs the permission for native code in the npm folder. */
export function loadPtyModule(): Omit<PtyHost, "system"> {
  const module = requireBinary("pty.node") as PtyModule;
  const loaded = Object.keys(
    (Module as unknown as { readonly _cache: object })._cache,
  );
  const binary = loaded.find((path) => path.endsWith("/pty.node")) ?? "";
  return {
    module,
    helperPath: binary.replace(/pty\.node$/, "spawn-helper"),
    buffer: new Uint8Array(READ_BYTES),
  };
}

/** A running program and its terminal. */
export class NativePty {
  readonly pid: number;
  readonly #host: PtyHost;
  readonly #listener: PtyListener;
  readonly #fd: number;
  readonly #reattach = new Timer(() => this.#attach());
  #stream: ReadStream | null = null;
  #detached = Promise.withResolvers<void>();
  #closed = false;
  #readInTurn = 0;

  /**
   * Starts a program as the leader of a new session with the terminal as its controlling one.
   *
   * The caller has checked that the program and the folder exist: a failure after the fork is an exit with code 1 and
   * a line on the terminal.
   *
   * @throws An error of the native module if no terminal or process can be had.
   */
  constructor(host: PtyHost, program: PtyProgram, listener: PtyListener) {
    this.#host = host;
    this.#listener = listener;
    const { module, system, helperPath } = host;
    const forked = system.forkAs(program, () =>
      module.fork(
        program.program,
        program.args,
        Object.entries(program.env).map(([name, value]) => `${name}=${value}`),
        program.cwd,
        program.cols,
        program.rows,
        -1,
        -1,
        true,
        helperPath,
        (code, signal) => this.#onExit(code, signal),
      ));
    this.pid = forked.pid;
    this.#fd = forked.fd;
    // Not sealed by node-pty: the next program would hold this terminal open.
    system.seal(forked.fd);
    system.settleChild(forked.pid);
    try {
      this.#attach();
    } catch (error) {
      system.kill(forked.pid, constants.signals.SIGKILL);
      system.closeDescriptor(forked.fd);
      throw error;
    }
  }

  /**
   * Sends keystrokes.
   *
   * @returns False if the program has not read what was sent before and the limit is reached, or it has no terminal.
   */
  write(data: string): boolean {
    const stream = this.#stream;
    if (stream === null) return false;
    if (stream.writableLength + data.length > MAX_INPUT_BYTES) return false;
    stream.write(data);
    return true;
  }

  /** Changes the size; the foreground programs get SIGWINCH. */
  resize(cols: number, rows: number): void {
    if (!this.#closed) this.#host.module.resize(this.#fd, cols, rows);
  }

  /** Resolves when all output has been delivered and nobody holds the program's side of the terminal. */
  async drained(): Promise<void> {
    if (this.#closed) return;
    if (this.#stream === null) this.#attach();
    await this.#detached.promise;
  }

  /** Gives the terminal back. What lives on it is hung up. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reattach.disarm();
    this.#stream?.destroy();
    this.#host.system.closeDescriptor(this.#fd);
  }

  /** Reads through a second descriptor, because the stream closes its own when nobody is on the other side. */
  #attach(): void {
    this.#reattach.disarm();
    const fd = this.#host.system.duplicate(this.#fd);
    if (fd < 0) {
      this.#detach();
      return;
    }
    const stream = new ReadStream(fd);
    this.#stream = stream;
    this.#detached = Promise.withResolvers<void>();
    stream.on("data", (chunk: Uint8Array) => this.#onData(stream, chunk));
    // EIO: nobody holds the other side. It is followed by "close", as every end is.
    stream.on("error", () => stream.destroy());
    stream.on("close", () => this.#detach());
  }

  /**
   * The stream tells that there is output; the rest of it is read directly, at a fifth of the cost. After some of it
   * everything else gets a turn: a terminal that always has more to say would be read for ever.
   */
  #onData(stream: ReadStream, chunk: Uint8Array): void {
    const { system, buffer } = this.#host;
    this.#listener.onData(chunk);
    this.#readInTurn += chunk.length;
    while (this.#readInTurn < TURN_BYTES && !this.#closed) {
      const count = system.read(this.#fd, buffer);
      // Nothing more for now, or nobody on the other side any more, which the stream will find out by itself.
      if (count <= 0) return;
      this.#readInTurn += count;
      this.#listener.onData(buffer.subarray(0, count));
    }
    this.#readInTurn = 0;
    stream.pause();
    inLaterTurn(() => {
      if (!stream.destroyed) stream.resume();
    });
  }

  #detach(): void {
    this.#stream = null;
    this.#detached.resolve();
    if (!this.#closed) this.#reattach.arm(REATTACH_MS);
  }

  #onExit(code: number, signal: number): void {
    if (signal === 0) this.#listener.onExit(code, null);
    else this.#listener.onExit(null, signalName(signal));
  }
}

/** Name of a signal on this system, such as `SIGTERM`. */
export function signalName(number: number): string {
  const entry = Object.entries(constants.signals).find(([, value]) =>
    value === number
  );
  return entry?.[0] ?? `SIG${number}`;
}

/** Number of a signal on this system, or null if it has none of this name. */
export function signalNumber(name: string): number | null {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return Object.hasOwn(numbers, name) ? numbers[name] ?? null : null;
}
