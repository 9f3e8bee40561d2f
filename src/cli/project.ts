/**
 * Which project a command is about.
 *
 * @module
 */

import { CONFIG_FILE_NAME, findConfig } from "../config/find_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { Context } from "./context.ts";

/** A project as the daemon is told of it. */
export interface ProjectScope {
  /** Absolute path of its file. */
  readonly config: string;
}

/**
 * The project of the folder, or the one that was named. Registers nothing and starts nothing.
 *
 * @throws {TaskmuxError} E100 if there is none.
 */
export function projectScope(context: Context): ProjectScope {
  if (context.config !== null) {
    const config = existingFile(context.config);
    if (config !== null) return { config };
    throw new TaskmuxError(
      "E100",
      `Cannot use config "${context.config}": there is no such file`,
      { hint: "taskmux init", details: { path: context.config } },
    );
  }
  const config = findConfig(context.folder);
  if (config !== null) return { config };
  throw new TaskmuxError(
    "E100",
    `Cannot find ${CONFIG_FILE_NAME}: there is none in "${context.folder}" or above`,
    { hint: "taskmux init", details: { path: context.folder } },
  );
}

/** The path, if a file is there; else null. */
export function existingFile(path: string): string | null {
  try {
    return Deno.statSync(path).isFile ? path : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Whether an error says that there is nothing of that path. */
export function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory;
}
