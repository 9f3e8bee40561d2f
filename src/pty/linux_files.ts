/**
 * Reading `/proc` on Linux through the C library, because Deno refuses it under explicit permissions.
 *
 * Everything that cannot be read is null: processes vanish at any time, and others are not ours to look at.
 *
 * @module
 */

import { cString } from "../kit/c_string.ts";
import type { LinuxLibc } from "./libc.ts";

const O_CLOEXEC = 0x80000;
const LINK_BYTES = 4096;
const BUFFER_BYTES = 64 * 1024;

/** Longest file that is read. The environment of a process is bounded by the kernel, far below. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

/** Offsets in a `struct linux_dirent64`. */
const DIRENT = { length: 16, name: 19 } as const;

/** Reads files, folders and links. One object serves one thread; results of `bytes` are valid until the next call. */
export class LinuxFiles {
  readonly #libc: LinuxLibc;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #link = new Uint8Array(LINK_BYTES);
  readonly #decoder = new TextDecoder();

  constructor(libc: LinuxLibc) {
    this.#libc = libc;
  }

  /**
   * The first bytes of a file, at most 64 KiB, in one read.
   *
   * @param path The path as C wants it, so that hot paths can reuse it.
   * @returns A view that the next call overwrites, or null.
   */
  bytes(path: Uint8Array<ArrayBuffer>): Uint8Array | null {
    const fd = this.#libc.open(path, O_CLOEXEC, 0);
    if (fd < 0) return null;
    const count = Number(
      this.#libc.read(fd, this.#buffer, BigInt(BUFFER_BYTES)),
    );
    this.#libc.close(fd);
    return count < 0 ? null : this.#buffer.subarray(0, count);
  }

  /** A whole file as text, or null. */
  text(path: string): string | null {
    const fd = this.#libc.open(cString(path), O_CLOEXEC, 0);
    if (fd < 0) return null;
    const decoder = new TextDecoder();
    let text = "";
    let total = 0;
    while (total < MAX_FILE_BYTES) {
      const count = Number(
        this.#libc.read(fd, this.#buffer, BigInt(BUFFER_BYTES)),
      );
      if (count <= 0) break;
      total += count;
      text += decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    }
    this.#libc.close(fd);
    return text + decoder.decode();
  }

  /** Names in a folder that are numbers, in the kernel's order; empty if it cannot be read. */
  numbers(path: string): number[] {
    const fd = this.#libc.open(cString(path), O_CLOEXEC, 0);
    if (fd < 0) return [];
    const names: number[] = [];
    while (true) {
      const count = Number(
        this.#libc.getdents64(fd, this.#buffer, BigInt(BUFFER_BYTES)),
      );
      if (count <= 0) break;
      collectNumbers(this.#buffer, count, names);
    }
    this.#libc.close(fd);
    return names;
  }

  /** Where a symbolic link leads, or null. */
  link(path: string): string | null {
    const count = Number(
      this.#libc.readlink(cString(path), this.#link, BigInt(LINK_BYTES)),
    );
    return count < 0
      ? null
      : this.#decoder.decode(this.#link.subarray(0, count));
  }
}

function collectNumbers(
  entries: Uint8Array,
  count: number,
  into: number[],
): void {
  for (let at = 0; at < count;) {
    let value = 0;
    let index = at + DIRENT.name;
    let digit = entries[index]! - 48;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digit = entries[++index]! - 48;
    }
    if (entries[index] === 0 && index > at + DIRENT.name) into.push(value);
    at += entries[at + DIRENT.length]! |
      (entries[at + DIRENT.length + 1]! << 8);
  }
}
