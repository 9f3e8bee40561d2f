/**
 * The blocks in CLAUDE.md, AGENTS.md and GEMINI.md, for the commands that write them.
 *
 * @module
 */

import {
  type ContextFile,
  contextFiles,
  type ContextOutcome,
} from "../agents/context_files.ts";
import { CONTEXT_FILES } from "../agents/context_block.ts";
import { baseName } from "../kit/path.ts";

/**
 * The files that exist, or else those.
 *
 * @param otherwise Names.
 */
export async function existingFilesOr(
  root: string,
  otherwise: readonly string[],
): Promise<readonly ContextFile[]> {
  const existing = (await contextFiles(root)).filter(({ exists }) => exists);
  return existing.length > 0 ? existing : await contextFiles(root, otherwise);
}

/**
 * Asks a person which files are to have a block.
 *
 * @param suggested Names, where no file exists yet.
 * @returns Null = the question was left.
 */
export async function askFiles(
  root: string,
  suggested: readonly string[],
): Promise<readonly ContextFile[] | null> {
  const files = await contextFiles(root);
  const nameOf = ({ path }: ContextFile): string => baseName(path);
  const existing = files.filter(({ exists }) => exists).map(nameOf);
  const { askChoices } = await import("./prompts.ts");
  const names = await askChoices(
    "Which files are to tell agents of taskmux?",
    CONTEXT_FILES.filter((name) => files.some((file) => nameOf(file) === name))
      .map((value) => ({
        value,
        hint: existing.includes(value) ? "exists" : "new",
      })),
    existing.length > 0 ? existing : suggested,
  );
  return names === null
    ? null
    : files.filter((file) => names.includes(nameOf(file)));
}

/** What was done, for people. */
export function outcomeLines(
  outcomes: readonly ContextOutcome[],
): readonly string[] {
  const words = {
    created: "Created",
    updated: "Updated",
    unchanged: "Up to date:",
    removed: "Removed the block of",
    deleted: "Deleted",
  } as const;
  return outcomes.map(({ path, action }) => `${words[action]} ${path}`);
}
