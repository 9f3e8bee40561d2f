/**
 * A copy of the events as JSON lines, for `tail -F` and for `grep`. Written only, unless the database has lost events:
 * then they are taken from here.
 *
 * One writer. Everything is synchronous, so that no event can slip between reading and replacing the file.
 *
 * @module
 */

import type { TaskEvent } from "../domain/event.ts";
import { lastSeqIn, readMirror } from "./mirror_file.ts";
import { STATE_FILE_MODE } from "./state_file.ts";

/** When the mirror has more lines than this it is trimmed. */
export const MIRROR_MAX_LINES = 15_000;

/** The newest lines that trimming keeps. */
export const MIRROR_KEPT_LINES = 10_000;

/** How far from its end the last event number is looked for. */
const TAIL_BYTES = 256 * 1024;

const NEWLINE = 10;

/** The mirror file. */
export class EventMirror {
  readonly #path: string;
  readonly #report: (message: string | null) => void;
  readonly #encoder = new TextEncoder();
  /** Null until the file has been looked at. */
  #lines: number | null = null;
  /** The file may end within a line. */
  #isTorn = true;
  #isFailing = false;

  /** @param report Told when writing begins to fail, and with null when it works again. */
  constructor(path: string, report: (message: string | null) => void) {
    this.#path = path;
    this.#report = report;
  }

  /**
   * Adds a line; never throws for a full disk or a missing folder. One system call; every 5 000 lines the file is
   * rewritten, which takes some milliseconds.
   *
   * @param line Without a newline.
   * @returns Whether it is in the file.
   */
  append(line: string): boolean {
    try {
      const prefix = this.#isTorn && this.#endsWithinLine() ? "\n" : "";
      this.#lines ??= countLines(this.#read());
      this.#isTorn = true;
      Deno.writeFileSync(
        this.#path,
        this.#encoder.encode(`${prefix}${line}\n`),
        { append: true, mode: STATE_FILE_MODE },
      );
      this.#isTorn = false;
      this.#lines++;
      if (this.#lines > MIRROR_MAX_LINES) this.#trim();
      this.#succeeded();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** Empties the file. Never throws for a file that is not there. */
  clear(): void {
    try {
      Deno.truncateSync(this.#path, 0);
      this.#lines = 0;
      this.#succeeded();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      this.#failed(error);
    }
  }

  /** The number of the last whole event in the file; 0 if there is none. Reads the end of the file. */
  lastSeq(): number {
    try {
      using file = Deno.openSync(this.#path);
      const size = file.statSync().size;
      file.seekSync(Math.max(0, size - TAIL_BYTES), Deno.SeekMode.Start);
      return lastSeqIn(new TextDecoder().decode(readAll(file)));
    } catch (error) {
      if (isIoError(error)) return 0;
      throw error;
    }
  }

  /** The events after a number. Reads the end of the file, and all of it only if there are such events. */
  eventsAfter(seq: number): TaskEvent[] {
    if (this.lastSeq() <= seq) return [];
    try {
      return readMirror(this.#path, seq);
    } catch (error) {
      if (isIoError(error)) return [];
      throw error;
    }
  }

  #trim(): void {
    const bytes = this.#read();
    // The user may have removed or shortened the file since it was counted.
    const lines = countLines(bytes);
    if (lines <= MIRROR_MAX_LINES) {
      this.#lines = lines;
      return;
    }
    const kept = bytes.subarray(startOfLast(bytes, MIRROR_KEPT_LINES));
    const temporary = `${this.#path}.tmp`;
    Deno.writeFileSync(temporary, kept, { mode: STATE_FILE_MODE });
    Deno.renameSync(temporary, this.#path);
    this.#lines = MIRROR_KEPT_LINES;
  }

  #read(): Uint8Array {
    try {
      return Deno.readFileSync(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Uint8Array();
      throw error;
    }
  }

  #endsWithinLine(): boolean {
    try {
      using file = Deno.openSync(this.#path);
      if (file.statSync().size === 0) return false;
      file.seekSync(-1, Deno.SeekMode.End);
      const last = new Uint8Array(1);
      file.readSync(last);
      return last[0] !== NEWLINE;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  #succeeded(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#report(null);
  }

  #failed(error: unknown): void {
    if (!isIoError(error)) throw error;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#report(error.message);
  }
}

/** Errors of the operating system carry its code; mistakes of ours do not. */
function isIoError(error: unknown): error is Error {
  return error instanceof Error && "code" in error;
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (
    let at = bytes.indexOf(NEWLINE);
    at !== -1;
    at = bytes.indexOf(NEWLINE, at + 1)
  ) count++;
  return count;
}

/** Where the last `count` lines begin; the content ends with a newline. */
function startOfLast(bytes: Uint8Array, count: number): number {
  let at = bytes.length - 1;
  for (let left = count; left > 0 && at >= 0; left--) {
    at = bytes.lastIndexOf(NEWLINE, at - 1);
  }
  return at + 1;
}

function readAll(file: Deno.FsFile): Uint8Array {
  const parts: Uint8Array[] = [];
  while (true) {
    const part = new Uint8Array(64 * 1024);
    const count = file.readSync(part);
    if (count === null) break;
    parts.push(part.subarray(0, count));
  }
  const whole = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
