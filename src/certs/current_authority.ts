/**
 * The authority as it is now: read when first asked for, and again when its files have changed or it has expired.
 *
 * @module
 */

import type { Authority } from "./authority.ts";
import { authorityFiles } from "./authority_files.ts";

/** How often its files are looked at, at most, however many ask. */
const LOOK_MS = 2_000;

/** The stamp of an authority whose files are both gone. */
const GONE = "absent absent";

/** How an authority is found. */
export interface CurrentAuthorityOptions {
  /** Reads or makes it. */
  open(): Promise<Authority>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** See the module. */
export class CurrentAuthority {
  readonly #options: CurrentAuthorityOptions;
  #opened: Promise<Opened> | null = null;
  #lookedAt = 0;
  /** What its files were like when they were found changed. */
  #changed: string | null = null;

  constructor(options: CurrentAuthorityOptions) {
    this.#options = options;
  }

  /**
   * The authority. Files that are being replaced count once they have been left alone for a while, or when it is urgent:
   * for those who are about to hand it out.
   *
   * @throws {TaskmuxError} E710 if there is none; the next that asks has it looked for again.
   */
  async get(
    { isUrgent = false }: { readonly isUrgent?: boolean } = {},
  ): Promise<Authority> {
    const opening = this.#opened ??= this.#open();
    const opened = await opening;
    if (!await this.#isOutdated(opened, isUrgent)) return opened.authority;
    if (this.#opened === opening) this.#opened = null;
    return (await (this.#opened ??= this.#open())).authority;
  }

  #open(): Promise<Opened> {
    const opened = this.#options.open().then(async (authority) => ({
      authority,
      stamp: await stampOf(authority),
    }));
    opened.catch(() => {
      if (this.#opened === opened) this.#opened = null;
    });
    return opened;
  }

  async #isOutdated(
    { authority, stamp }: Opened,
    isUrgent: boolean,
  ): Promise<boolean> {
    const now = this.#options.now();
    if (!isUrgent && Math.abs(now - this.#lookedAt) < LOOK_MS) return false;
    this.#lookedAt = now;
    if (authority.notAfter <= now) return true;
    const found = await stampOf(authority);
    const isSettled = isUrgent || found === this.#changed || found === GONE;
    this.#changed = found === stamp ? null : found;
    return isSettled && this.#changed !== null;
  }
}

interface Opened {
  readonly authority: Authority;
  /** Differs when one of the files does. */
  readonly stamp: string;
}

async function stampOf({ path }: Authority): Promise<string> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const { certificate, privateKey } = authorityFiles(folder);
  const parts = await Promise.all([certificate, privateKey].map(fileStamp));
  return parts.join(" ");
}

async function fileStamp(path: string): Promise<string> {
  try {
    const { ino, mtime, size } = await Deno.stat(path);
    return `${ino}:${mtime?.getTime()}:${size}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "absent";
    // What is wrong is found out when it is opened.
    if (error instanceof Error) return error.name;
    throw error;
  }
}
