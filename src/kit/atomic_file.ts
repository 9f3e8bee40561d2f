/**
 * Replaces a file so that every reader sees the old content or the new, never a part.
 *
 * Does not lock: of two writers the last one wins, unless it says what it expects. Does not create folders. The content reaches the disk before the
 * name does, but the folder itself is not synced, so a power cut may bring the old content back.
 *
 * @module
 */

/** Links followed to find the file behind a symbolic link, as the kernel does. */
const MAX_LINKS = 40;

/** How a file is replaced. */
export interface WriteOptions {
  /**
   * Permission bits of the result, exactly. Without it an existing file keeps its own, and a new one gets what the
   * umask leaves of 0666.
   */
  readonly mode?: number;
  /**
   * What the file must still hold when it is replaced; null = it must not exist. Looked at last of all, so that what
   * somebody else saved meanwhile is not lost.
   */
  readonly expected?: Uint8Array | null;
}

/** The file is no longer what was expected. */
export class FileChanged extends Error {
  override readonly name = "FileChanged";
}

/**
 * Writes a file through a sibling that takes its place.
 *
 * A symbolic link stays; the file it leads to is replaced. The content is never readable with wider permissions than
 * the result has. On failure the old file is untouched and nothing is left beside it; the error has the path of the file
 * as its `path`.
 *
 * @throws {Deno.errors.NotFound} If the folder does not exist.
 * @throws {Deno.errors.PermissionDenied} If the folder cannot be written to.
 * @throws {Deno.errors.FilesystemLoop} If symbolic links form a ring.
 * @throws {FileChanged} If it does not hold what was expected.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  try {
    await replaceFile(path, data, options);
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

async function replaceFile(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions,
): Promise<void> {
  const target = await followLinks(path);
  const existing = await statOrNull(target);
  const existingMode = existing?.mode ?? null;
  const mode = options.mode ??
    (existingMode === null ? undefined : existingMode & 0o7777);
  const temporary = sibling(target, `.taskmux-${crypto.randomUUID()}.tmp`);
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  const file = await Deno.open(temporary, {
    createNew: true,
    write: true,
    ...(mode === undefined ? {} : { mode: mode & 0o600 }),
  });
  try {
    using _ = file;
    await keepOwner(temporary, existing);
    // The umask narrows the mode given at creation, so it is set again, before there is anything to read.
    if (mode !== undefined) await Deno.chmod(temporary, mode);
    for (let sent = 0; sent < bytes.length;) {
      sent += await file.write(bytes.subarray(sent));
    }
    await file.sync();
    if (options.expected !== undefined) await check(target, options.expected);
    await Deno.rename(temporary, target);
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  }
}

async function check(path: string, expected: Uint8Array | null): Promise<void> {
  const present = await orNull(Deno.readFile(path));
  const isAsExpected = present === null || expected === null
    ? present === expected
    : present.length === expected.length &&
      present.every((byte, at) => byte === expected[at]);
  if (!isAsExpected) throw new FileChanged(`"${path}" has changed`);
}

/** Root editing a user's file leaves it the user's; anybody else cannot give a file away, and need not. */
async function keepOwner(
  path: string,
  existing: Deno.FileInfo | null,
): Promise<void> {
  if (existing === null || existing.uid === null) return;
  const own = await Deno.stat(path);
  if (own.uid === existing.uid && own.gid === existing.gid) return;
  try {
    await Deno.chown(path, existing.uid, existing.gid);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}

async function followLinks(path: string): Promise<string> {
  let current = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const info = await lstatOrNull(current);
    if (info === null || !info.isSymlink) return current;
    const target = await Deno.readLink(current);
    current = target.startsWith("/") ? target : sibling(current, target);
  }
  throw new Deno.errors.FilesystemLoop(
    `Cannot write "${path}": too many symbolic links`,
  );
}

function sibling(path: string, name: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1) + name;
}

async function statOrNull(path: string): Promise<Deno.FileInfo | null> {
  return await orNull(Deno.stat(path));
}

async function lstatOrNull(path: string): Promise<Deno.FileInfo | null> {
  return await orNull(Deno.lstat(path));
}

async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  await orNull(Deno.remove(path));
}
