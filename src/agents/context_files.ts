/**
 * The files of a project that agents read: which there are, and taskmux's block in them.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { folderOf } from "../kit/path.ts";
import { CONTEXT_FILES, contextBlock } from "./context_block.ts";
import { editTextFile } from "./edit_text_file.ts";
import { linkTarget, lstatIfThere, namesOutside } from "./link_target.ts";
import { putBlock, takeBlock } from "./marked_block.ts";

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
  await refuseOddTarget(file);
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
  await refuseOddTarget(file);
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

/** Beyond prose: agents read what lies in a hidden folder of the user, such as `~/.claude/CLAUDE.md`, in every project. */
async function refuseOddTarget({ path, target }: ContextFile): Promise<void> {
  if (path === target) return;
  const refuse = (why: string): TaskmuxError =>
    new TaskmuxError(
      "E500",
      `Cannot edit "${path}": it leads to "${target}", ${why}`,
      { hint: `ls -l ${path}`, details: { path, target } },
    );
  if (!PROSE_REGEXP.test(target)) throw refuse("which is no text for people");
  const outside = await namesOutside(folderOf(path), target) ?? [];
  if (outside.some((name) => name.startsWith("."))) {
    throw refuse("which is not of this project alone");
  }
}

async function exists(path: string): Promise<boolean> {
  return await lstatIfThere(path) !== null;
}
