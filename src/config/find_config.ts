/**
 * Finds the project a folder belongs to. Loads nothing: it is on the CLI's fast path.
 *
 * @module
 */

/** Name of a project's file. */
export const CONFIG_FILE_NAME = "taskmux.toml";

/**
 * Path of the nearest `taskmux.toml` in a folder or above it, or null.
 *
 * A symbolic link to a file counts, a folder of that name does not, and a folder that must not be looked into is passed
 * over. `..` is taken as text, as a shell's `cd` does.
 *
 * @param from Absolute path of a folder.
 * @throws {TypeError} If it is not absolute.
 */
export function findConfig(from: string): string | null {
  if (!from.startsWith("/")) {
    throw new TypeError(
      `Cannot look for a project from "${from}": the path must be absolute`,
    );
  }
  const parts: string[] = [];
  for (const part of from.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  for (let length = parts.length; length >= 0; length--) {
    const folder = parts.slice(0, length).map((part) => `/${part}`).join("");
    const path = `${folder}/${CONFIG_FILE_NAME}`;
    if (isFile(path)) return path;
  }
  return null;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    const isPassedOver = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.FilesystemLoop;
    if (isPassedOver) return false;
    throw error;
  }
}
