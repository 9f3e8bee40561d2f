/**
 * Whether a folder is there.
 *
 * @module
 */

/** Whether `path` is a folder, links followed. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // ENOTDIR: a part of the path is a file.
    if ((error as { code?: string }).code === "ENOTDIR") return false;
    throw error;
  }
}
