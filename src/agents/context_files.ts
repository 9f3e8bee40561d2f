/**
 * The files of a project that agents read: which there are, and taskmux's block in them.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { baseName, folderOf, resolvePath } from "../kit/path.ts";
import { CONTEXT_FILES, contextBlock } from "./context_block.ts";
import { editTextFile } from "./edit_text_file.ts";
import { putBlock, takeBlock } from "./marked_block.ts";

/** Links followed, as the kernel does. */
const MAX_LINKS = 40;

/** What a context file may lead to. An agent's file that leads to a shell's start-up file is a trap. */
const PROSE_REGEXP = /\.(?:md|mdc|markdown|txt)$/i;

/** One file, whatever it is called. */
export interface ContextFile {
  /** Absolute, as an agent opens it. */
  readonly path: string;
  /** What it leads to by symbolic links; `path` itself without any. */
  readonly target: string;
  readonly exists: boolean;
}

/** What was done to a file. */
export interface ContextOutcome {
  readonly path: string;
  readonly action: "created" | "updated" | "unchanged" | "removed" | "deleted";
}

/** What was done, and what is odd about the file. */
export interface ContextReport {
  readonly outcome: ContextOutcome;
  readonly warnings: readonly string[];
}

/**
 * The files of these names in a folder. Several that are one by symbolic links are told once, as the one that is no link.
 *
 * @param root Absolute path of the project's folder.
 * @throws {TaskmuxError} E500 if symbolic links form a ring.
 */
export async function contextFiles(
  root: string,
  names: readonly string[] = CONTEXT_FILES,
): Promise<readonly ContextFile[]> {
  const byTarget = new Map<string, ContextFile>();
  for (const name of names) {
    const path = `${root}/${name}`;
    const target = await linkTarget(path);
    const known = byTarget.get(target);
    if (known !== undefined && path !== target) continue;
    byTarget.set(target, { path, target, exists: await exists(target) });
  }
  return [...byTarget.values()];
}

/**
 * Puts the project's block into a file, in place of the one that is there.
 *
 * @param append Whether a file without a block, or none, gets one; else it is left alone and the answer is null.
 * @throws {TaskmuxError} As `editTextFile` does, and E500 if it leads to what is no text for people.
 */
export async function writeContext(
  file: ContextFile,
  name: string,
  { append }: { readonly append: boolean },
): Promise<ContextReport | null> {
  refuseOddTarget(file);
  const block = contextBlock(name);
  let hadBlock = false;
  let strays: readonly number[] = [];
  const action = await editTextFile(file.path, (text) => {
    if (text === null && !append) return null;
    const edit = putBlock(text ?? "", block, { append });
    ({ hadBlock, strays } = edit);
    return edit.text;
  });
  if (!hadBlock && !append) return null;
  return {
    outcome: { path: file.path, action },
    warnings: strayWarnings(file, strays),
  };
}

/**
 * Takes the block out of a file. One that holds nothing else is deleted.
 *
 * @throws {TaskmuxError} As {@linkcode writeContext}.
 */
export async function removeContext(file: ContextFile): Promise<ContextReport> {
  refuseOddTarget(file);
  let strays: readonly number[] = [];
  const action = await editTextFile(file.path, (text) => {
    if (text === null) return null;
    const edit = takeBlock(text);
    ({ strays } = edit);
    const isEmpty = edit.hadBlock && edit.text.replace("\uFEFF", "") === "";
    return isEmpty ? null : edit.text;
  });
  return {
    outcome: {
      path: file.path,
      action: action === "updated" ? "removed" : action,
    },
    warnings: strayWarnings(file, strays),
  };
}

function strayWarnings(
  { path }: ContextFile,
  strays: readonly number[],
): readonly string[] {
  return strays.map((line) =>
    `${path}:${line} has a marker of taskmux that marks no block of it; it stays, with what is beside it`
  );
}

function refuseOddTarget({ path, target }: ContextFile): void {
  if (path === target || PROSE_REGEXP.test(target)) return;
  throw new TaskmuxError(
    "E500",
    `Cannot edit "${path}": it leads to "${target}", which is no text for people`,
    { hint: `ls -l ${path}`, details: { path, target } },
  );
}

/** Where the links end, in a folder without links. What is not there yet has a place, too. */
async function linkTarget(path: string): Promise<string> {
  let current = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const info = await lstatIfThere(current);
    if (info?.isSymlink !== true) return await inRealFolder(current);
    current = resolvePath(folderOf(current), await Deno.readLink(current));
  }
  throw new TaskmuxError(
    "E500",
    `Cannot edit "${path}": its symbolic links form a ring`,
    { hint: `ls -l ${path}`, details: { path } },
  );
}

/** Only where the folder is a link itself does it differ. */
async function inRealFolder(path: string): Promise<string> {
  try {
    const folder = await Deno.realPath(folderOf(path));
    return resolvePath(folder, baseName(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return path;
  }
}

async function lstatIfThere(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return await lstatIfThere(path) !== null;
}
