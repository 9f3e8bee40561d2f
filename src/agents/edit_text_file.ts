/**
 * Changes a text file of the user: nothing that somebody else saves meanwhile is lost, and nobody sees half of it.
 *
 * @module
 */

import { diskError } from "../domain/disk_error.ts";
import { TaskmuxError } from "../domain/error.ts";
import { FileChanged, writeFileAtomic } from "../kit/atomic_file.ts";

/** Larger ones are not for people. */
const MAX_BYTES = 4 * 1024 * 1024;

/** How often a change is made again because somebody else saved the file. */
const ATTEMPTS = 5;

/** What happened to a file. */
export type FileAction = "created" | "updated" | "unchanged" | "deleted";

/**
 * Makes the new text of the old one and writes it, if it is another one. Mode, owner and symbolic links stay.
 *
 * @param path Absolute.
 * @param change Gets the text with its byte order mark, or null if there is no file; gives null if there is to be none. Called
 * again if the file changes meanwhile.
 * @throws {TaskmuxError} E500 if it is no UTF-8 text file of at most 4 MiB or keeps changing; E900 if the disk refuses it.
 */
export async function editTextFile(
  path: string,
  change: (text: string | null) => string | null,
): Promise<FileAction> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await editOnce(path, change);
    } catch (error) {
      if (!(error instanceof FileChanged)) throw refusal(path, error);
    }
  }
  throw cannotEdit(path, "something else keeps writing it");
}

async function editOnce(
  path: string,
  change: (text: string | null) => string | null,
): Promise<FileAction> {
  const expected = await readIfThere(path);
  const before = expected === null ? null : decode(path, expected);
  const after = change(before);
  if (after === before) return "unchanged";
  if (after === null) return await removeFile(path, expected);
  await writeFileAtomic(path, after, { expected });
  return before === null ? "created" : "updated";
}

/** What a link leads to may be in use elsewhere, so it is emptied only. */
async function removeFile(
  path: string,
  expected: Uint8Array | null,
): Promise<FileAction> {
  const { isSymlink } = await Deno.lstat(path);
  await writeFileAtomic(path, "", { expected });
  if (isSymlink) return "updated";
  await Deno.remove(path);
  return "deleted";
}

/** Null if nothing is there; a link that leads nowhere is nothing. */
async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw cannotEdit(path, "it is no file");
    if (size > MAX_BYTES) throw cannotEdit(path, "it is too large");
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw cannotEdit(path, "it is no UTF-8 text", error);
  }
}

function refusal(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.FilesystemLoop) {
    return cannotEdit(path, "its symbolic links form a ring", error);
  }
  return diskError(error) ?? error;
}

function cannotEdit(
  path: string,
  state: string,
  cause?: unknown,
): TaskmuxError {
  return new TaskmuxError("E500", `Cannot edit "${path}": ${state}`, {
    hint: `ls -l ${path}`,
    details: { path },
    ...cause === undefined ? {} : { cause },
  });
}
