/**
 * All files of one log as one stream of bytes, oldest first, as it stood at one moment.
 *
 * Offsets count from the start of the oldest file. The stream ends after the last whole line; a line that is still being
 * written is not there yet. Holds the files open, so that rotation does not disturb a reader; holds one block of bytes.
 *
 * @module
 */

import { type OpenLogFile, openLogFiles } from "./log_files.ts";
import { detached, timestampAt } from "./log_line.ts";
import {
  fileIdentity,
  HEAD_BYTES,
  headCheck,
  type LogPosition,
} from "./log_position.ts";

/** The first block read for a question; the next ones double. */
const FIRST_BLOCK_BYTES = 32 * 1024;

/** The largest block, and the longest line: a longer one is read as several. */
export const MAX_BLOCK_BYTES = 1024 * 1024;

/** How far before a line without a time its time is looked for. */
const MAX_LOOK_BACK_BYTES = 256 * 1024;

const NEWLINE = 10;

/** One file of the stream. */
interface Segment {
  readonly file: Deno.FsFile;
  readonly ino: number;
  /** The first bytes, at most {@linkcode HEAD_BYTES}. */
  readonly head: Uint8Array;
  readonly identity: number;
  /** Offset of its first byte in the stream. */
  readonly start: number;
  /** Offset in the stream after its last byte that counts. */
  readonly end: number;
}

/** Whole lines that follow one another in one file. */
export interface Chunk {
  /** Offset of the first byte in the stream. */
  readonly at: number;
  /** Ends with a newline, unless the file does not. Valid until the next read of the view. */
  readonly bytes: Uint8Array;
}

/** A file that a reader keeps open between two views, so that deletion cannot take unread lines away. */
export interface HeldFile extends Disposable {
  readonly file: Deno.FsFile;
  readonly ino: number;
  /** Identity of the next older file; 0 = none. */
  readonly previous: number;
}

/** Where a position lies in a view. */
export interface Location {
  /** Offset in the stream. */
  readonly at: number;
  /**
   * Bytes that came after the position and are gone. 0 is exact; more is an estimate, at least 1, because nobody knows
   * how long files were that nobody saw.
   */
  readonly dropped: number;
}

/** The stream. Dispose it to close the files. */
export class LogView implements Disposable {
  readonly #segments: readonly Segment[];
  readonly #closing = new Set<Deno.FsFile>();
  #block = new Uint8Array(0);
  #blockStart = 0;
  #blockEnd = 0;

  private constructor(segments: readonly Segment[]) {
    this.#segments = segments;
    for (const { file } of segments) this.#closing.add(file);
  }

  /**
   * Opens the files of a log; an empty stream if there are none. A few system calls per file.
   *
   * @param path The current file.
   * @param held A file that belongs to the log even if it has no name any more. The view takes it over.
   */
  static async open(path: string, held?: HeldFile): Promise<LogView> {
    const files = (await openLogFiles(path)).reverse();
    const opened = new Set(files.map(({ file }) => file));
    if (held !== undefined) opened.add(held.file);
    try {
      const described = await Promise.all(files.map(describe));
      if (held !== undefined) await insertHeld(described, held);
      const segments: Segment[] = [];
      for (const [index, one] of described.entries()) {
        const isNewest = index === described.length - 1;
        const length = isNewest
          ? await wholeLinesLength(one.file, one.size)
          : one.size;
        const start = segments.at(-1)?.end ?? 0;
        segments.push({ ...one, start, end: start + length });
      }
      for (const { file } of segments) opened.delete(file);
      return new LogView(segments);
    } finally {
      for (const file of opened) file.close();
    }
  }

  /** Length of the stream. */
  get end(): number {
    return this.#segments.at(-1)?.end ?? 0;
  }

  /** Whole lines from `from` to `to`, both starts of lines, in order. */
  async *forward(from: number, to: number): AsyncGenerator<Chunk, void, void> {
    let blockBytes = FIRST_BLOCK_BYTES;
    for (let at = from; at < to;) {
      const end = Math.min(this.#segmentAt(at).end, to);
      const bytes = await this.#read(at, Math.min(at + blockBytes, end));
      let length = bytes.length;
      // A file that was cut short meanwhile has nothing more to give.
      if (length === 0) at = end;
      else {
        if (at + length < end) {
          const newline = bytes.lastIndexOf(NEWLINE);
          if (newline === -1 && length < MAX_BLOCK_BYTES) {
            blockBytes = Math.min(blockBytes * 2, MAX_BLOCK_BYTES);
            continue;
          }
          if (newline !== -1) length = newline + 1;
        }
        yield { at, bytes: bytes.subarray(0, length) };
        at += length;
        blockBytes = Math.min(blockBytes * 2, MAX_BLOCK_BYTES);
      }
    }
  }

  /** Whole lines from `from` to `to`, both starts of lines; the last chunk first, lines within a chunk in order. */
  async *backward(from: number, to: number): AsyncGenerator<Chunk, void, void> {
    let blockBytes = FIRST_BLOCK_BYTES;
    for (let end = to; end > from;) {
      const start = Math.max(this.#segmentAt(end - 1).start, from);
      const at = Math.max(start, end - blockBytes);
      const bytes = await this.#read(at, end);
      let skipped = 0;
      if (at > start) {
        const newline = bytes.indexOf(NEWLINE);
        const isInside = newline !== -1 && newline < bytes.length - 1;
        if (!isInside && blockBytes < MAX_BLOCK_BYTES) {
          blockBytes *= 2;
          continue;
        }
        if (isInside) skipped = newline + 1;
      }
      yield { at: at + skipped, bytes: bytes.subarray(skipped) };
      end = at + skipped;
      blockBytes = Math.min(blockBytes * 2, MAX_BLOCK_BYTES);
    }
  }

  /** The time of the last line before `at` that has one, or null. Looks back 256 KiB. Leaves chunks valid. */
  async timeBefore(at: number): Promise<string | null> {
    const from = Math.max(0, at - MAX_LOOK_BACK_BYTES);
    // A view of its own block. The files stay ours, so it is not disposed.
    const aside = new LogView(this.#segments);
    for await (const { bytes } of aside.backward(from, at)) {
      const text = new TextDecoder().decode(bytes);
      for (let end = text.length; end > 0;) {
        const start = end < 2 ? 0 : text.lastIndexOf("\n", end - 2) + 1;
        const time = timestampAt(text, start);
        if (time !== null) return detached(time);
        end = start;
      }
    }
    return null;
  }

  /** The position of an offset at which a line starts or the stream ends. Works on a closed view too. */
  position(at: number): LogPosition {
    // At a border the older file: an empty file has no first bytes to know it by.
    const last = this.#segments.findLastIndex(({ start }) => start < at);
    const index = Math.max(0, last);
    const segment = this.#segments[index];
    if (segment === undefined) {
      return { ino: 0, offset: 0, check: 0, previous: 0 };
    }
    const offset = at - segment.start;
    return {
      ino: segment.ino,
      offset,
      check: headCheck(segment.head, offset),
      previous: this.#segments[index - 1]?.identity ?? 0,
    };
  }

  /** Where a position lies; where the rest begins if its file is gone. */
  locate(position: LogPosition): Location {
    const { ino, offset, check, previous } = position;
    const own = this.#segments.find((segment) =>
      segment.ino === ino && segment.end - segment.start >= offset &&
      headCheck(segment.head, offset) === check
    );
    if (own !== undefined) return { at: own.start + offset, dropped: 0 };
    if (ino === 0) return { at: 0, dropped: 0 };
    const older = this.#segments.find(({ identity }) => identity === previous);
    // The file alone was deleted or emptied; how much it held is unknown.
    if (older !== undefined) return { at: older.end, dropped: 1 };
    const oldest = this.#segments.length > 1 ? this.#segments[0] : undefined;
    // Rotated away. Rotated files are about equally long.
    const length = oldest === undefined ? 0 : oldest.end - oldest.start;
    return { at: 0, dropped: Math.max(1, length - offset) };
  }

  /** Keeps the newest file open beyond the view, for the next one. Null if there is none. */
  holdNewest(): HeldFile | null {
    const newest = this.#segments.at(-1);
    if (newest === undefined) return null;
    this.#closing.delete(newest.file);
    const { file, ino } = newest;
    return {
      file,
      ino,
      previous: this.#segments.at(-2)?.identity ?? 0,
      [Symbol.dispose]: () => file.close(),
    };
  }

  [Symbol.dispose](): void {
    for (const file of this.#closing) file.close();
    this.#closing.clear();
    this.#block = new Uint8Array(0);
    this.#blockEnd = this.#blockStart;
  }

  /** Bytes of one file; fewer if it was cut short meanwhile. */
  async #read(from: number, to: number): Promise<Uint8Array> {
    if (from < this.#blockStart || to > this.#blockEnd) {
      const length = to - from;
      if (this.#block.length < length) this.#block = new Uint8Array(length);
      const segment = this.#segmentAt(from);
      this.#blockStart = this.#blockEnd = from;
      this.#blockEnd += await readAt(
        segment.file,
        from - segment.start,
        this.#block.subarray(0, length),
      );
    }
    return this.#block.subarray(
      from - this.#blockStart,
      Math.min(to, this.#blockEnd) - this.#blockStart,
    );
  }

  #segmentAt(at: number): Segment {
    const found = this.#segments.find(({ end }) => at < end);
    if (found === undefined) {
      throw new RangeError(`Cannot read log at ${at}: it ends at ${this.end}`);
    }
    return found;
  }
}

type Described = Omit<Segment, "start" | "end"> & { readonly size: number };

async function describe(opened: OpenLogFile): Promise<Described> {
  const { file, ino, size } = opened;
  const head = new Uint8Array(Math.min(HEAD_BYTES, size));
  const length = await readAt(file, 0, head);
  const known = head.subarray(0, length);
  return { file, ino, size, head: known, identity: fileIdentity(ino, known) };
}

/** Puts a held file in its place by age, unless it still has a name. */
async function insertHeld(
  described: Described[],
  held: HeldFile,
): Promise<void> {
  if (described.some(({ ino }) => ino === held.ino)) return;
  const { size } = await held.file.stat();
  const one = await describe({ file: held.file, ino: held.ino, size });
  const older = described.findIndex(({ identity }) =>
    identity === held.previous
  );
  described.splice(older + 1, 0, one);
}

/** Bytes up to and including the last newline; all of them if the last line is longer than a block. */
async function wholeLinesLength(
  file: Deno.FsFile,
  size: number,
): Promise<number> {
  let blockBytes = 4096;
  while (true) {
    const from = Math.max(0, size - blockBytes);
    const block = new Uint8Array(size - from);
    const length = await readAt(file, from, block);
    const newline = block.subarray(0, length).lastIndexOf(NEWLINE);
    if (newline !== -1) return from + newline + 1;
    if (from === 0) return 0;
    if (blockBytes >= MAX_BLOCK_BYTES) return size;
    blockBytes *= 4;
  }
}

/** Fills the buffer from an offset of the file. @returns How many bytes there were. */
async function readAt(
  file: Deno.FsFile,
  offset: number,
  buffer: Uint8Array,
): Promise<number> {
  if (buffer.length === 0) return 0;
  await file.seek(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < buffer.length) {
    const count = await file.read(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled;
}
