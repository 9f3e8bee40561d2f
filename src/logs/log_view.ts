/**
 * All files of one log as one stream of bytes, oldest first, as it stood at one moment.
 *
 * Offsets count from the start of the oldest file. The stream ends after the last whole line; a line that is still being
 * written is not there yet. Holds the files open, so that rotation does not disturb a reader; holds one block of bytes.
 *
 * @module
 */

import { detached, timestampAt } from "./log_line.ts";
import { headCheck, type LogPosition } from "./log_position.ts";
import {
  type HeldFile,
  MAX_BLOCK_BYTES,
  openSegments,
  readAt,
  type Segment,
} from "./log_segments.ts";

/** The first block read for a question; the next ones double. */
const FIRST_BLOCK_BYTES = 32 * 1024;

/** How far before a line without a time its time is looked for. */
const MAX_LOOK_BACK_BYTES = 256 * 1024;

const NEWLINE = 10;

/** Whole lines that follow one another in one file. */
export interface Chunk {
  /** Offset of the first byte in the stream. */
  readonly at: number;
  /** Ends with a newline, unless the file does not. Valid until the next read of the view. */
  readonly bytes: Uint8Array;
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
  static open(path: string, held?: HeldFile): LogView {
    return new LogView(openSegments(path, held));
  }

  /** Length of the stream. */
  get end(): number {
    return this.#segments.at(-1)?.end ?? 0;
  }

  /** Whether the log has no file at all. */
  get hasNoFile(): boolean {
    return this.#segments.length === 0;
  }

  /** The same files with a block of its own. Ends with this view; disposing it closes nothing. */
  aside(): LogView {
    const view = new LogView(this.#segments);
    view.#closing.clear();
    return view;
  }

  /**
   * Whole lines from `from` to `to`, both starts of lines, in order.
   *
   * @param firstBlockBytes The first block; the next ones double.
   */
  async *forward(
    from: number,
    to: number,
    firstBlockBytes = FIRST_BLOCK_BYTES,
  ): AsyncGenerator<Chunk, void, void> {
    let blockBytes = firstBlockBytes;
    for (let at = from; at < to;) {
      const end = Math.min(this.#segmentAt(at).end, to);
      const blockEnd = Math.min(at + blockBytes, end);
      const bytes = await this.#read(at, blockEnd);
      let length = bytes.length;
      const isCut = at + length < blockEnd;
      // A file that was cut short meanwhile has nothing more to give than its whole lines.
      if (length === 0 || (isCut && !bytes.includes(NEWLINE))) at = end;
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
    for await (const { bytes } of this.aside().backward(from, at)) {
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
    const index = this.#indexBefore(at);
    const segment = this.#segments[index];
    if (segment === undefined) {
      return { ino: 0, offset: 0, check: 0, previous: 0 };
    }
    const offset = at - segment.start;
    return {
      ino: segment.ino,
      offset,
      check: headCheck(segment, offset),
      previous: this.#segments[index - 1]?.identity ?? 0,
    };
  }

  /** Where a position lies; where the rest begins if its file is gone. */
  locate(position: LogPosition): Location {
    const { ino, offset, check, previous } = position;
    const own = this.#segments.find((segment) =>
      segment.ino === ino && segment.end - segment.start >= offset &&
      headCheck(segment, offset) === check
    );
    if (own !== undefined) return { at: own.start + offset, dropped: 0 };
    if (ino === 0 || this.hasNoFile) return { at: 0, dropped: 0 };
    const older = this.#segments.find(({ identity }) => identity === previous);
    // The file alone was deleted or emptied; how much it held is unknown.
    if (older !== undefined) return { at: older.end, dropped: 1 };
    const oldest = this.#segments.length > 1 ? this.#segments[0] : undefined;
    // Rotated away. Rotated files are about equally long.
    const length = oldest === undefined ? 0 : oldest.end - oldest.start;
    return { at: 0, dropped: Math.max(1, length - offset) };
  }

  /**
   * The end of the first file at or after an offset that others may have followed unseen, because it and all older ones
   * were rotated away; null if there is none.
   */
  holeAfter(at: number): number | null {
    return this.#segments.find(({ end, isFollowedByHole }) =>
      isFollowedByHole && end >= at
    )?.end ?? null;
  }

  /** Keeps the file of a {@linkcode position} open beyond the view, for the next one. Null if there is none. */
  hold(at: number): HeldFile | null {
    const index = this.#indexBefore(at);
    const segment = this.#segments[index];
    if (segment === undefined) return null;
    const { file, ino } = segment;
    this.#closing.delete(file);
    return {
      file,
      ino,
      previous: this.#segments[index - 1]?.identity ?? 0,
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

  /** The file that ends at an offset or has it inside. At a border the older one: an empty file is hard to know again. */
  #indexBefore(at: number): number {
    return Math.max(0, this.#segments.findLastIndex(({ start }) => start < at));
  }

  #segmentAt(at: number): Segment {
    const found = this.#segments.find(({ end }) => at < end);
    if (found === undefined) {
      throw new RangeError(`Cannot read log at ${at}: it ends at ${this.end}`);
    }
    return found;
  }
}
