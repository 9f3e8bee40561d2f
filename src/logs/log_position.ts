/**
 * A place in the output of a task that outlives rotation: which file, how far into it.
 *
 * A file is known by its inode, and because inodes are used again at once, by its birth and its first bytes. Not every
 * file system knows the birth of a file.
 *
 * @module
 */

/** Bytes at the start of a file that tell it from another one. A line's time alone is 23. */
export const HEAD_BYTES = 64;

/** A place between two lines. */
export interface LogPosition {
  /** Inode of the file; 0 = there was no file yet. */
  readonly ino: number;
  /** Byte offset in the file. */
  readonly offset: number;
  /** {@linkcode headCheck} of the file, over what was there before the offset. */
  readonly check: number;
  /** {@linkcode fileIdentity} of the next older file; 0 = there was none. */
  readonly previous: number;
}

/** What tells a file from all others that ever had its name or inode. */
export interface FileFacts {
  readonly ino: number;
  /** Wall time of its creation in milliseconds; 0 = unknown. */
  readonly bornAt: number;
  /** Its first bytes, at most {@linkcode HEAD_BYTES}. */
  readonly head: Uint8Array;
}

/** A checksum of what is known about a file for ever: its birth, and its first bytes as far as they lie before `offset`. */
export function headCheck(file: FileFacts, offset: number): number {
  return hash(file.head.subarray(0, offset), file.bornAt);
}

/** A name for a file that is no longer written to. Never 0. */
export function fileIdentity(file: FileFacts): number {
  return hash(file.head, file.bornAt ^ file.ino) || 1;
}

/** FNV-1a, 32 bits. */
export function hash(bytes: Uint8Array, seed: number): number {
  let value = (0x811c9dc5 ^ seed) >>> 0;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
