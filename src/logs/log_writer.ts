/**
 * Writes finished lines to a log file that others may move, delete, truncate or fill the disk under.
 *
 * Writing is synchronous on purpose: a slow disk then slows the reading of the terminal, and nothing piles up in memory.
 * A file that cannot be written never stops the task: the lines are dropped and counted, and writing is tried again.
 * Does not know lines' content, only where they end.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { Timer } from "../kit/timer.ts";
import { STAMP_BYTES, writeStamp } from "./line_assembler.ts";
import { rotateFiles } from "./log_rotation.ts";

/** Pause between two attempts to write to a file that failed. */
export const RETRY_MS = 1_000;

/** Trouble is over when every write went well for so long: a disk that is almost full takes a little now and then. */
const CALM_MS = 2_000;

/** How often one batch is written again because its file vanished meanwhile. Beyond it somebody deletes in a loop. */
const MAX_REWRITES = 8;

const LF = 10;

/** Where and how much. */
export interface LogLimits {
  /** Bytes after which the file is rotated, 1 or more. A single longer line is written whole. */
  readonly maxBytes: number;
  /** Rotated files kept. */
  readonly maxFiles: number;
}

/** What a writer is given. */
export interface LogWriterOptions extends LogLimits {
  /** Absolute path. Its folder is created with mode 0700, the file with 0600. */
  readonly path: string;
  readonly clock: Clock;
  /**
   * Called when writing begins to fail, with the reason, and with null when it has worked again for two seconds.
   *
   * @param droppedBytes Output lost so far in this failure.
   */
  readonly onTrouble: (reason: string | null, droppedBytes: number) => void;
}

/** The one writer of one log file. Opens the file at once; a failure to do so counts as trouble, not as an error. */
export class LogWriter implements Disposable {
  readonly path: string;
  readonly #options: LogWriterOptions;
  readonly #retry: Timer;
  #limits: LogLimits;
  #file: Deno.FsFile | null = null;
  #identity: FileIdentity | null = null;
  #size = 0;
  /** Whether the file ends in the middle of a line, because a write was cut short. */
  #isTorn = false;
  readonly #calm = new Timer(() => this.#endTrouble());
  /** Why the last write failed. */
  #trouble: string | null = null;
  /** Why writing began to fail, until that is over. */
  #told: string | null = null;
  #triedAt = 0;
  /** Bytes lost and not yet told in the file. */
  #dropped = 0;
  /** Bytes lost since writing began to fail. */
  #droppedInTrouble = 0;

  constructor(options: LogWriterOptions) {
    this.path = options.path;
    this.#options = options;
    this.#limits = options;
    this.#retry = new Timer(() => this.#attempt(null));
    this.#attempt(null);
  }

  /** Why the file could not be written until a moment ago; null if it can. */
  get trouble(): string | null {
    return this.#told;
  }

  /** Changes when the file is rotated. Holds from the next write. */
  setLimits(limits: LogLimits): void {
    this.#limits = limits;
  }

  /**
   * Writes whole lines. Never throws for trouble with the file.
   *
   * @param lines One or more lines, each ending with a newline.
   */
  write(lines: Uint8Array): void {
    const { clock } = this.#options;
    if (
      this.#trouble !== null && clock.monotonic() - this.#triedAt < RETRY_MS
    ) {
      this.#drop(lines.length);
    } else this.#attempt(lines);
  }

  /** Closes the file. What was dropped and never announced gets one last attempt. */
  [Symbol.dispose](): void {
    if (this.#trouble !== null) this.#attempt(null);
    this.#retry.disarm();
    this.#calm.disarm();
    if (this.#trouble === null) this.#endTrouble();
    this.#close();
  }

  #attempt(lines: Uint8Array | null): void {
    let written = 0;
    try {
      this.#ensureOpen();
      if (this.#dropped > 0) this.#writeLines(this.#droppedLine());
      this.#dropped = 0;
      if (lines !== null) {
        this.#writeLines(lines, (end) => {
          written = end;
        });
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#fail(reasonOf(error), (lines?.length ?? 0) - written);
      return;
    }
    this.#recover();
  }

  #writeLines(
    lines: Uint8Array,
    onProgress: (end: number) => void = () => {},
  ): void {
    const { maxBytes, maxFiles } = this.#limits;
    for (let start = 0; start < lines.length;) {
      const end = fittingEnd(lines, start, maxBytes - this.#size);
      if (end === start && this.#size > 0) {
        this.#close();
        rotateFiles(this.path, maxFiles);
        this.#open();
        continue;
      }
      const stop = end === start ? lines.indexOf(LF, start) + 1 : end;
      this.#writeToFile(lines.subarray(start, stop), (count) => {
        onProgress(start + count);
      });
      start = stop;
    }
  }

  /** Writes all bytes to the file that has the name now; again, if it was deleted meanwhile. */
  #writeToFile(bytes: Uint8Array, onProgress: (count: number) => void): void {
    for (let rewrites = 0;; rewrites++) {
      const file = this.#ensureOpen();
      if (this.#isTorn) {
        file.writeSync(Uint8Array.of(LF));
        this.#isTorn = false;
      }
      for (let sent = 0; sent < bytes.length;) {
        const count = file.writeSync(bytes.subarray(sent));
        sent += count;
        this.#isTorn = bytes[sent - 1] !== LF;
        onProgress(sent);
      }
      const info = file.statSync();
      this.#size = info.size;
      if (info.nlink !== 0 || rewrites === MAX_REWRITES) return;
      this.#close();
    }
  }

  /** The open file, reopened if the name leads to another one or to none. */
  #ensureOpen(): Deno.FsFile {
    if (this.#file !== null && this.#identity !== null) {
      const named = statOrNull(this.path);
      if (named !== null && isSame(named, this.#identity)) {
        this.#size = named.size;
        return this.#file;
      }
      this.#close();
    }
    return this.#open();
  }

  #open(): Deno.FsFile {
    refuseBlocking(statOrNull(this.path));
    Deno.mkdirSync(folderOf(this.path), { recursive: true, mode: 0o700 });
    const file = Deno.openSync(this.path, {
      read: true,
      append: true,
      create: true,
      mode: 0o600,
    });
    const info = file.statSync();
    this.#file = file;
    this.#identity = { dev: info.dev, ino: info.ino };
    this.#size = info.size;
    this.#isTorn = info.size > 0 && lastByte(file) !== LF;
    return file;
  }

  #close(): void {
    this.#file?.close();
    this.#file = null;
    this.#identity = null;
  }

  #fail(reason: string, lost: number): void {
    this.#triedAt = this.#options.clock.monotonic();
    this.#drop(lost);
    this.#retry.arm(RETRY_MS);
    this.#calm.disarm();
    this.#trouble = reason;
    if (this.#told !== null) return;
    this.#told = reason;
    this.#options.onTrouble(reason, this.#dropped);
  }

  #recover(): void {
    if (this.#trouble === null) return;
    this.#trouble = null;
    this.#retry.disarm();
    this.#calm.arm(CALM_MS);
  }

  #endTrouble(): void {
    if (this.#told === null) return;
    const dropped = this.#droppedInTrouble;
    this.#told = null;
    this.#droppedInTrouble = 0;
    this.#options.onTrouble(null, dropped);
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#droppedInTrouble += count;
  }

  #droppedLine(): Uint8Array {
    const text = `[taskmux] ${this.#dropped} bytes of output were dropped: ${
      this.#trouble ?? "the file could not be written"
    }\n`;
    const stamp = new Uint8Array(STAMP_BYTES);
    writeStamp(stamp, this.#options.clock.now());
    const encoded = new TextEncoder().encode(text);
    const line = new Uint8Array(STAMP_BYTES + encoded.length);
    line.set(stamp);
    line.set(encoded, STAMP_BYTES);
    return line;
  }
}

interface FileIdentity {
  readonly dev: number;
  readonly ino: number | null;
}

function isSame(info: Deno.FileInfo, identity: FileIdentity): boolean {
  return info.ino === identity.ino && info.dev === identity.dev;
}

/** The end of the last line that still fits into `room` bytes; `start` if not even one does. */
function fittingEnd(lines: Uint8Array, start: number, room: number): number {
  if (lines.length - start <= room) return lines.length;
  if (room <= 0) return start;
  const newline = lines.lastIndexOf(LF, start + room - 1);
  return newline < start ? start : newline + 1;
}

/** Opening a pipe would wait for a reader, and with us all tasks. */
function refuseBlocking(info: Deno.FileInfo | null): void {
  if (info === null || info.isFile || info.isCharDevice) return;
  throw Object.assign(new Error("It is not a regular file"), {
    code: "EINVAL",
  });
}

function statOrNull(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** A file may end in the middle of a line when its writer was killed or the machine went down. */
function lastByte(file: Deno.FsFile): number {
  const byte = new Uint8Array(1);
  file.seekSync(-1, Deno.SeekMode.End);
  file.readSync(byte);
  return byte[0] ?? LF;
}

/** An error of the kernel, or of Deno, which lets nobody write to devices; as opposed to a mistake of ours. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Deno.errors.NotCapable ||
    error instanceof Error && "code" in error &&
      typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code);
}

/** `No space left on device (os error 28): …` → `No space left on device`. */
function reasonOf(error: Error): string {
  if (error instanceof Deno.errors.NotCapable) {
    return "It is a device or a file of the system";
  }
  return error.message.replace(/ \(os error .*$/s, "");
}
