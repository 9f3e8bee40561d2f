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
    if (!isDirectory) continue;
    try {
      yield* walk(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** A regular file as it was found. */
export interface FoundFile {
  readonly path: string;
  /** One character for each byte. */
  readonly text: string;
  /** Its permissions, as `chmod` takes them. */
  readonly mode: number;
}

/** What is in the regular files below a folder. What goes meanwhile, as what is written beside a file does, is left out. */
export async function* readBelow(folder: string): AsyncGenerator<FoundFile> {
  for await (const path of walk(folder)) {
    try {
      const { isFile, mode } = await Deno.lstat(path);
      if (!isFile) continue;
      const text = new TextDecoder("latin1").decode(await Deno.readFile(path));
      yield { path, text, mode: (mode ?? 0) & 0o777 };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
