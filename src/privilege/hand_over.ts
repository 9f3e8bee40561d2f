/**
 * Gives a user back what root made in that user's folders: Deno writes its caches before the first line of a program
 * runs, so a program under `sudo` cannot avoid it.
 *
 * The user may be hostile and may exchange any entry at any moment, to have root give away a foreign file. So nothing is
 * changed by its path: each entry is opened below the open folder that holds it, without following a link, looked at,
 * and changed through what was opened. Only what belongs to root is touched, and no file that has another name
 * elsewhere.
 *
 * @module
 */

import type { TargetUser } from "../config/target_user.ts";
import { cString } from "../kit/c_string.ts";
import type { OwnerFunctions } from "./privilege_libc.ts";

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
const NLINK_OFFSET = 16;
const UID_OFFSET = 20;
const MODE_OFFSET = 28;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const O_PATH_CLOEXEC = 0x280000;
/** Of the kernel's own, and different by processor. */
const O_NOFOLLOW: Readonly<Record<typeof Deno.build.arch, number>> = {
  x86_64: 0x20000,
  aarch64: 0x8000,
};
const EMPTY = cString("");

/** More entries than a cache has; beyond it a folder was made to keep root busy. */
const MAX_ENTRIES = 1_000_000;
/** Deeper than any cache. Each level is an open descriptor. */
const MAX_DEPTH = 200;

/** What was done. */
export interface HandedOver {
  /** Entries that belong to the user now. */
  readonly changed: number;
  /** Paths of entries that belong to root still: files with several names, or what went beyond the limits. A few. */
  readonly left: readonly string[];
}

/** Paths told of what was left. */
const MAX_LEFT_TOLD = 5;

/**
 * Hands over every entry of root in some folders of the user's home. A folder outside of the home, behind a link or not
 * there is left alone. Linux only; needs to be root. Takes some ten
 * µs per entry, and blocks.
 *
 * @param folders Absolute paths.
 */
export function handOver(
  functions: OwnerFunctions,
  user: TargetUser,
  folders: readonly string[],
): HandedOver {
  const walk = new Walk(functions, user);
  for (const folder of folders) walk.folder(folder);
  return { changed: walk.changed, left: walk.left };
}

/** What an entry is. */
interface Entry {
  readonly isFolder: boolean;
  readonly isRoots: boolean;
  /** A file that has a second name, maybe where the user could not have made it. */
  readonly isShared: boolean;
}

class Walk {
  changed = 0;
  readonly left: string[] = [];
  readonly #libc: OwnerFunctions;
  readonly #user: TargetUser;
  readonly #stat = new Uint8Array(STATX_BYTES);
  readonly #view = new DataView(this.#stat.buffer);
  #seen = 0;

  constructor(libc: OwnerFunctions, user: TargetUser) {
    this.#libc = libc;
    this.#user = user;
  }

  /** Goes down from the home, one name at a time. */
  folder(path: string): void {
    const { home } = this.#user;
    if (!path.startsWith(`${home}/`)) return;
    const names = path.slice(home.length + 1).split("/");
    if (names.some((name) => name === "" || name === "..")) return;
    const top = this.#open(AT_FDCWD, home);
    if (top === null) return;
    try {
      this.#descend(top, { path: home, names });
    } finally {
      this.#libc.close(top);
    }
  }

  #descend(
    parent: number,
    { path, names }: { readonly path: string; readonly names: string[] },
  ): void {
    const [name, ...rest] = names;
    if (name === undefined) return;
    const fd = this.#open(parent, name);
    if (fd === null) return;
    const here = `${path}/${name}`;
    try {
      const entry = this.#look(fd);
      if (!entry?.isFolder) return;
      if (rest.length > 0) {
        return this.#descend(fd, { path: here, names: rest });
      }
      this.#give(fd, entry, here);
      this.#everything(fd, here, 0);
    } finally {
      this.#libc.close(fd);
    }
  }

  #everything(folder: number, path: string, depth: number): void {
    if (depth >= MAX_DEPTH) return this.#leave(path);
    for (const name of namesIn(path)) {
      if (++this.#seen > MAX_ENTRIES) return this.#leave(path);
      const fd = this.#open(folder, name);
      if (fd === null) continue;
      const here = `${path}/${name}`;
      try {
        const entry = this.#look(fd);
        if (entry === null) continue;
        this.#give(fd, entry, here);
        if (entry.isFolder) this.#everything(fd, here, depth + 1);
      } finally {
        this.#libc.close(fd);
      }
    }
  }

  #give(fd: number, entry: Entry, path: string): void {
    if (!entry.isRoots) return;
    const { uid, gid } = this.#user;
    const isGiven = !entry.isShared &&
      this.#libc.fchownat(fd, EMPTY, uid, gid, AT_EMPTY_PATH) === 0;
    if (isGiven) this.changed++;
    else this.#leave(path);
  }

  #leave(path: string): void {
    if (this.left.length < MAX_LEFT_TOLD) this.left.push(path);
  }

  /** A handle of the entry itself, be it a link; null if there is none. */
  #open(parent: number, name: string): number | null {
    const flags = O_PATH_CLOEXEC | O_NOFOLLOW[Deno.build.arch];
    const fd = this.#libc.openat(parent, cString(name), flags, 0);
    return fd < 0 ? null : fd;
  }

  #look(fd: number): Entry | null {
    const status = this.#libc.statx(
      fd,
      EMPTY,
      AT_EMPTY_PATH,
      STATX_BASIC_STATS,
      this.#stat,
    );
    if (status !== 0) return null;
    const type = this.#view.getUint16(MODE_OFFSET, true) & S_IFMT;
    return {
      isFolder: type === S_IFDIR,
      isRoots: this.#view.getUint32(UID_OFFSET, true) === 0,
      isShared: type === S_IFREG &&
        this.#view.getUint32(NLINK_OFFSET, true) > 1,
    };
  }
}

/**
 * Names in a folder, by its path. Should the folder have been exchanged meanwhile, they are names that are not found in
 * the one that is open.
 */
function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map((entry) => entry.name);
  } catch (error) {
    // Gone, or no folder any more.
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
}
