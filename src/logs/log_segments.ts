/**
 * The files of a log laid end to end, oldest first.
 *
 * @module
 */

import {
  describeLogFile,
  type OpenLogFile,
  openLogFiles,
} from "./log_files.ts";
import { type FileFacts, fileIdentity, HEAD_BYTES } from "./log_position.ts";

/** The largest block that is read, and the longest line: a longer one is read as several. */
export const MAX_BLOCK_BYTES = 1024 * 1024;

/** Where the last newline of a file is looked for first. */
const LAST_LINE_BYTES = 4096;

const NEWLINE = 10;

/** What is read before another thread would have begun to. */
const SMALL_BYTES = 4096;

/** One file. Offsets are those of the whole stream. */
export interface Segment extends FileFacts {
  readonly file: Deno.FsFile;
  /** Name of the file among those that are no longer written to. */
  readonly identity: number;
  /** Offset of its first byte. */
  readonly start: number;
  /** Offset after its last byte that counts. */
  readonly end: number;
  /** Whether files may have come and gone between this one and the next. */
  readonly isFollowedByHole: boolean;
}

/** A file that a reader keeps open, so that deletion cannot take unread lines away. */
export interface HeldFile extends Disposable {
  readonly file: Deno.FsFile;
  readonly ino: number;
  /** Identity of the next older file; 0 = none. */
  readonly previous: number;
}

/**
 * Opens the files of a log. The caller closes them.
 *
 * @param path The current file.
 * @param held A file that belongs to the log even if it has no name any more. It is taken over, also on failure.
 */
export function openSegments(path: string, held?: HeldFile): Segment[] {
  const unused = new Set<Deno.FsFile>(held === undefined ? [] : [held.file]);
  try {
    const files = openLogFiles(path).reverse();
    for (const { file } of files) unused.add(file);
    const described = files.map(describe);
    if (held !== undefined) insertHeld(described, held);
    const segments = layEndToEnd(described);
    for (const { file } of segments) unused.delete(file);
    return segments;
  } finally {
    for (const file of unused) file.close();
  }
}

/** Fills the buffer from an offset of the file. @returns How many bytes there were. */
export async function readAt(
  file: Deno.FsFile,
  offset: number,
  buffer: Uint8Array,
): Promise<number> {
  file.seekSync(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < buffer.length) {
    const rest = buffer.subarray(filled);
    const count = buffer.length <= SMALL_BYTES
      ? file.readSync(rest)
      : await file.read(rest);
    if (count === null) break;
    filled += count;
  }
  return filled;
}

/** {@linkcode readAt} for a few kilobytes. */
function readAtOnce(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Uint8Array {
  const buffer = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const count = file.readSync(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

interface Described extends Omit<Segment, "start" | "end"> {
  readonly size: number;
}

function describe(opened: OpenLogFile): Described {
  const head = readAtOnce(opened.file, 0, Math.min(HEAD_BYTES, opened.size));
  const facts = { ...opened, head };
  return { ...facts, identity: fileIdentity(facts), isFollowedByHole: false };
}

/** Puts a held file in its place by age, unless it still has a name. */
function insertHeld(described: Described[], held: HeldFile): void {
  if (described.some(({ ino }) => ino === held.ino)) return;
  const one = describe(describeLogFile(held.file));
  const older = described.findIndex(({ identity }) =>
    identity === held.previous
  );
  // Without the older one, rotation took both, and nobody knows whether more. Alone it was deleted.
  const isFollowedByHole = older === -1 && described.length > 1;
  described.splice(older + 1, 0, { ...one, isFollowedByHole });
}

function layEndToEnd(described: readonly Described[]): Segment[] {
  const segments: Segment[] = [];
  for (const [index, { size, ...one }] of described.entries()) {
    const isNewest = index === described.length - 1;
    const length = isNewest ? wholeLinesLength(one.file, size) : size;
    const start = segments.at(-1)?.end ?? 0;
    segments.push({ ...one, start, end: start + length });
  }
  return segments;
}

/** Bytes up to and including the last newline; all of them if the last line is longer than a block. */
function wholeLinesLength(file: Deno.FsFile, size: number): number {
  for (let blockBytes = LAST_LINE_BYTES;; blockBytes *= 4) {
    const from = Math.max(0, size - blockBytes);
    const block = readAtOnce(file, from, size - from);
    const newline = block.lastIndexOf(NEWLINE);
    if (newline !== -1) return from + newline + 1;
    if (from === 0) return 0;
    if (blockBytes >= MAX_BLOCK_BYTES) return size;
  }
}
