/**
 * A place in the output of a task that outlives rotation: which file, how far into it.
 *
 * A file is known by its inode, and because inodes are used again, by its first bytes.
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

/** A checksum of the first bytes of a file, as far as they lie before `offset`: those never change. */
export function headCheck(head: Uint8Array, offset: number): number {
  return hash(head.subarray(0, Math.min(HEAD_BYTES, offset)), 0);
}

/** A name for a file that is no longer written to. Never 0. */
export function fileIdentity(ino: number, head: Uint8Array): number {
  return hash(head.subarray(0, HEAD_BYTES), ino) || 1;
}

/** FNV-1a, 32 bits. */
export function hash(bytes: Uint8Array, seed: number): number {
  let value = (0x811c9dc5 ^ seed) >>> 0;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
