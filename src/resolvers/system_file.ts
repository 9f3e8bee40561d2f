/**
 * Files of the machine that are not ours: read as they are, replaced whole, by `sudo -n` where that is allowed.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { writeFileAtomic } from "../kit/atomic_file.ts";
import type { Effort, Machine } from "./resolver.ts";

/** Mode of a file that is made. Everybody's programs read it. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

/** Mode of what lies in the state folder for `sudo` to take. */
const DRAFT_MODE = 0o600;

/** The bytes of a file, one character each, so that they come back as they were; null if there is none. */
export async function readSystemFile(path: string): Promise<string | null> {
  try {
    const bytes = await Deno.readFile(path);
    // Not TextDecoder: its "latin1" is windows-1252.
    let text = "";
    for (let start = 0; start < bytes.length; start += 8_192) {
      text += String.fromCharCode(...bytes.subarray(start, start + 8_192));
    }
    return text;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** What becomes of a file. */
export interface SystemEdit {
  readonly path: string;
  /** As {@linkcode readSystemFile} reads it; null = it goes. */
  readonly text: string | null;
  /** What is done, for errors: "have names resolved". */
  readonly what: string;
  /** What to type with the rights of root. */
  readonly command: string;
}

/**
 * Changes a file: at once where the folder lets that happen, in place where a mount holds the file (containers).
 *
 * @throws {TaskmuxError} E720 with `needs_root`, if neither this process nor `sudo -n` may.
 */
export async function changeSystemFile(
  edit: SystemEdit,
  machine: Machine,
  effort: Effort,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (edit.text === null) await Deno.remove(edit.path);
    else await replace(edit.path, bytesOf(edit.text));
  } catch (error) {
    if (!isForbidden(error)) throw error;
    if (effort.sudo && await changeBySudo(edit, machine, signal)) return;
    throw needsRoot(edit, error);
  }
}

/** The error for what only root can do. */
export function needsRoot(
  { path, what, command }: SystemEdit,
  cause?: unknown,
): TaskmuxError {
  return new TaskmuxError("E720", `Cannot ${what}: ${path} is root's`, {
    hint: command,
    details: { needs_root: true, path },
    ...cause === undefined ? {} : { cause },
  });
}

async function replace(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const existing = await statOrNull(path);
  if (existing === null) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    await Deno.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  }
  try {
    const mode = existing === null ? { mode: FILE_MODE } : {};
    await writeFileAtomic(path, bytes, mode);
  } catch (error) {
    // A file that is mounted cannot be replaced; the folder may be closed although the file is not.
    const isHeld = codeOf(error) === "EBUSY" || isForbidden(error);
    if (existing === null || !isHeld) throw error;
    await overwrite(path, bytes);
  }
}

/** What a reader sees meanwhile is at most the old end behind the new beginning, never an empty file. */
async function overwrite(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  using file = await Deno.open(path, { write: true });
  for (let done = 0; done < bytes.length;) {
    done += await file.write(bytes.subarray(done));
  }
  await file.truncate(bytes.length);
  await file.sync();
}

async function changeBySudo(
  { path, text }: SystemEdit,
  { home, program }: Machine,
  signal: AbortSignal,
): Promise<boolean> {
  if (program === null) return false;
  const succeeds = async (...words: string[]): Promise<boolean> => {
    const outcome = await program(["sudo", "-n", ...words], signal);
    return outcome.kind === "exited" && outcome.code === 0;
  };
  if (text === null) return await succeeds("rm", "-f", path);
  const draft = `${home}/system-file.draft`;
  await Deno.writeFile(draft, bytesOf(text), { mode: DRAFT_MODE });
  try {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (await statOrNull(path) !== null) {
      return await succeeds("cp", draft, path);
    }
    return await succeeds("mkdir", "-p", folder) &&
      await succeeds("install", "-m", "644", draft, path);
  } finally {
    await Deno.remove(draft);
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    codeOf(error) === "EROFS";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

async function statOrNull(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
