/**
 * Reads the text of a configuration file, or says why it cannot be read.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/** Largest configuration file. Whatever is larger is something else. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * The text of a file, or null if there is none. Follows symbolic links.
 *
 * @throws {TaskmuxError} E100 if it is no regular file or must not be read, E101 if it is too large or not UTF-8.
 */
export async function readConfigText(path: string): Promise<string | null> {
  const bytes = await readBytes(path);
  if (bytes === null) return null;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw refusal("E101", path, "it is not UTF-8 text", error);
  }
}

async function readBytes(path: string): Promise<Uint8Array | null> {
  try {
    const info = await Deno.stat(path);
    // Opening a pipe would wait for a writer that may never come.
    if (info.isDirectory) throw refusal("E100", path, "it is a folder");
    if (!info.isFile) throw refusal("E100", path, "it is not a regular file");
    if (info.size > MAX_CONFIG_BYTES) {
      throw refusal("E101", path, "it is larger than 1 MiB");
    }
    return await Deno.readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    if (error instanceof Deno.errors.PermissionDenied) {
      throw refusal("E100", path, "permission is denied", error);
    }
    if (error instanceof Deno.errors.FilesystemLoop) {
      throw refusal("E100", path, "its symbolic links form a ring", error);
    }
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory;
}

function refusal(
  code: "E100" | "E101",
  path: string,
  state: string,
  cause?: unknown,
): TaskmuxError {
  return new TaskmuxError(code, `Cannot read "${path}": ${state}`, {
    details: { path },
    cause,
  });
}
