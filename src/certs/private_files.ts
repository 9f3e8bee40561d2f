/**
 * Files of keys: nobody but their owner may read them.
 *
 * @module
 */

import { kindOf, setAside } from "../kit/set_aside.ts";

/** Bits of a mode that let others in. */
const OTHERS_MODE = 0o077;

/** No certificate and no key is larger. */
const MAX_PEM_BYTES = 1024 * 1024;

/**
 * Makes a folder with mode 0700, or narrows it to that. What else has the name is set aside.
 *
 * @param now Wall time in milliseconds.
 * @returns Sentences on what was not as it should be.
 */
export async function makePrivateFolder(
  folder: string,
  now: number,
): Promise<string[]> {
  const kind = kindOf(folder);
  const aside = kind === "absent" || kind === "folder"
    ? []
    : [`${folder} was no folder; it is now "${setAside(folder, now)}"`];
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  return [...aside, ...narrow(folder, 0o700)];
}

/** Narrows a folder to mode 0700. @returns A sentence if it was open to others; else null. */
export function narrowFolder(path: string): string | null {
  return narrow(path, 0o700)[0] ?? null;
}

/** Narrows a file to mode 0600. @returns A sentence if it was open to others; else null. */
export function narrowFile(path: string): string | null {
  return narrow(path, 0o600)[0] ?? null;
}

/**
 * The text of a file, invalid UTF-8 replaced.
 *
 * @returns Null if nothing has the name; empty if what has it is no file, or larger than any certificate.
 */
export async function readPem(path: string): Promise<string | null> {
  const kind = kindOf(path);
  if (kind === "absent") return null;
  if (kind !== "file") return "";
  if ((await Deno.stat(path)).size > MAX_PEM_BYTES) return "";
  return await Deno.readTextFile(path);
}

function narrow(path: string, mode: number): string[] {
  const { mode: before } = Deno.statSync(path);
  if (((before ?? 0) & OTHERS_MODE) === 0) return [];
  Deno.chmodSync(path, mode);
  const octal = mode.toString(8).padStart(4, "0");
  return [`${path} was open to other users; its mode is ${octal} now`];
}
