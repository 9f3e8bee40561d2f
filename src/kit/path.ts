/**
 * Paths of POSIX systems as texts. Beside `node:path` for modules that commands load: that alone takes as long as half
 * of what an empty program does.
 *
 * @module
 */

/**
 * A path that counts from a folder as an absolute one, without `.`, `..` and doubled slashes. Looks at no file.
 *
 * @param folder Absolute.
 */
export function resolvePath(folder: string, path: string): string {
  const parts: string[] = [];
  for (
    const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")
  ) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The folder of a file with an absolute path in its shortest form. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

/** The last part of an absolute path in its shortest form; empty for the root. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
