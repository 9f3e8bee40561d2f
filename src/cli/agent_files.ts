/**
 * The blocks in CLAUDE.md, AGENTS.md and GEMINI.md, for the commands that write them.
 *
 * @module
 */

import {
  type ContextFile,
  contextFiles,
  type ContextOutcome,
  writeContext,
} from "../agents/context_files.ts";
import { CONTEXT_FILES } from "../agents/context_block.ts";
import { loadHostConfig } from "../config/host_config.ts";
import { diskError } from "../domain/disk_error.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ProjectSpec } from "../domain/task_spec.ts";
import { baseName } from "../kit/path.ts";
import type { Context } from "./context.ts";

/** What became of the blocks. */
export interface BlocksWritten {
  readonly outcomes: readonly ContextOutcome[];
  readonly warnings: readonly string[];
}

/** Whose block it is. */
export type BlockOwner = Pick<
  ProjectSpec,
  "name" | "root" | "autoInjectAgents"
>;

/** Where nothing was to be written. */
export const NOTHING: BlocksWritten = { outcomes: [], warnings: [] };

/**
 * Renders again the blocks that are there; no file gets a new one. Nothing if the project or, where it says nothing, the
 * host has `auto_inject_agents = false`. Never fails: what goes wrong is a warning, for the command has done its work.
 */
export async function refreshBlocks(
  context: Context,
  project: BlockOwner,
): Promise<BlocksWritten> {
  try {
    if (!await isRefreshed(context, project)) return NOTHING;
    const files = await contextFiles(project.root);
    return await writeBlocks(files, project.name, { append: false });
  } catch (error) {
    const known = error instanceof TaskmuxError ? error : diskError(error);
    if (known === null) throw error;
    return {
      outcomes: [],
      warnings: [
        `the taskmux block of CLAUDE.md, AGENTS.md and GEMINI.md stays as it is: ${known.message}`,
      ],
    };
  }
}

/** Whether blocks are written without being asked for. */
export async function isRefreshed(
  { paths }: Context,
  { autoInjectAgents }: Pick<BlockOwner, "autoInjectAgents">,
): Promise<boolean> {
  if (autoInjectAgents !== null) return autoInjectAgents;
  return (await loadHostConfig(paths.hostConfig)).config.autoInjectAgents;
}

/**
 * Writes the block into each file.
 *
 * @param append Whether files without a block get one.
 * @throws {TaskmuxError} What is wrong with the first file that cannot be written; those before it are written.
 */
export async function writeBlocks(
  files: readonly ContextFile[],
  name: string,
  options: { readonly append: boolean },
): Promise<BlocksWritten> {
  const outcomes: ContextOutcome[] = [];
  const warnings: string[] = [];
  for (const file of files) {
    const report = await writeContext(file, name, options);
    if (report === null) continue;
    outcomes.push(report.outcome);
    warnings.push(...report.warnings);
  }
  return { outcomes, warnings };
}

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
