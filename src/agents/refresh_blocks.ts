/**
 * The blocks in CLAUDE.md, AGENTS.md and GEMINI.md of a project, kept up to date: by the command line and by the daemon.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import { diskError } from "../domain/disk_error.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ProjectSpec } from "../domain/task_spec.ts";
import {
  type ContextFile,
  contextFiles,
  type ContextOutcome,
  writeContext,
} from "./context_files.ts";

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
  hostConfig: string,
  project: BlockOwner,
): Promise<BlocksWritten> {
  try {
    if (!await isRefreshed(hostConfig, project)) return NOTHING;
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

/**
 * Whether blocks are written without being asked for.
 *
 * @param hostConfig Path of `config.toml`.
 */
export async function isRefreshed(
  hostConfig: string,
  { autoInjectAgents }: Pick<BlockOwner, "autoInjectAgents">,
): Promise<boolean> {
  if (autoInjectAgents !== null) return autoInjectAgents;
  return (await loadHostConfig(hostConfig)).config.autoInjectAgents;
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
