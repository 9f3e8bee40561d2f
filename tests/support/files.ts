/**
 * Files below a folder.
 *
 * @module
 */

/** Every path below a folder, folders too, without following links. What goes meanwhile is left out. */
export async function* walk(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    yield path;
    if (isDirectory) yield* walk(path);
  }
}
