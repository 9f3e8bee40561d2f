/**
 * Checks before a fork what could only be told through the terminal after it.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";
import type { System } from "../pty/system.ts";
import { Refusal } from "./refusal.ts";

/** Where programs are looked for when the environment has no PATH, as the C library does. */
const DEFAULT_PATH = "/bin:/usr/bin";

/** What is to be started. */
export interface ProgramRequest {
  readonly program: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The absolute path of a program, found as exec would: on the PATH of its own environment, relative to its own folder.
 *
 * @throws {Refusal} `spawn_failed` if the folder cannot be entered or the program cannot be found or executed.
 */
export function findProgram(request: ProgramRequest, system: System): string {
  const { program, cwd } = request;
  if (!isFolder(cwd)) {
    throw new Refusal(
      "spawn_failed",
      `Cannot start "${program}": the folder "${cwd}" does not exist`,
    );
  }
  if (!system.canExecute(cwd)) {
    throw new Refusal(
      "spawn_failed",
      `Cannot start "${program}": the folder "${cwd}" cannot be entered`,
    );
  }
  const found = candidates(request).filter(isFile);
  const executable = found.find((path) => system.canExecute(path));
  if (executable !== undefined) return executable;
  throw new Refusal(
    "spawn_failed",
    found[0] === undefined
      ? `Cannot start "${program}": no such program`
      : `Cannot start "${program}": "${found[0]}" is not executable`,
  );
}

function candidates({ program, cwd, env }: ProgramRequest): string[] {
  if (isAbsolute(program)) return [program];
  if (program.includes("/")) return [join(cwd, program)];
  return (env.PATH ?? DEFAULT_PATH).split(":").map((folder) =>
    join(isAbsolute(folder) ? folder : join(cwd, folder), program)
  );
}

function isFolder(path: string): boolean {
  return statOrNull(path)?.isDirectory ?? false;
}

function isFile(path: string): boolean {
  return statOrNull(path)?.isFile ?? false;
}

/** What cannot be looked at cannot be used either. */
function statOrNull(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (isUnreachable(error)) return null;
    throw error;
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.FilesystemLoop;
}
