/**
 * Failures that lie with a disk, in words that a user can act on.
 *
 * @module
 */

import { TaskmuxError } from "./error.ts";

/** Codes of the operating system that say that a disk takes nothing, whoever asks. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on device",
  EDQUOT: "the disk quota is used up",
  EROFS: "read-only file system",
  EIO: "input/output error",
};

/** Codes that say so of one file; without its path they could mean anything. */
const REASONS_OF_PATH: Readonly<Record<string, string>> = {
  ...REASONS,
  EACCES: "permission denied",
  EPERM: "operation not permitted",
};

/** As Deno words what one of its own functions met with: `Permission denied (os error 13): open '/a/b'`. */
const PATH_IN_MESSAGE = /\(os error \d+\): \w+ '(.+)'$/s;

/**
 * What a failure to write means for a user: E900 with what to do. The path is the `path` of the error, as
 * `writeFileAtomic` leaves it there, or what Deno says in its message.
 *
 * @returns Null if the failure is another one.
 */
export function diskError(error: unknown): TaskmuxError | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  const path = "path" in error && typeof error.path === "string"
    ? error.path
    : PATH_IN_MESSAGE.exec(error.message)?.[1] ?? null;
  const reasons = path === null ? REASONS : REASONS_OF_PATH;
  const reason = reasons[String(error.code)];
  if (reason === undefined) return null;
  const verb = "path" in error ? "write" : "use";
  const what = path === null ? "Cannot go on" : `Cannot ${verb} "${path}"`;
  return new TaskmuxError("E900", `${what}: ${reason}`, {
    hint: remedyFor(reason),
    ...(path === null ? {} : { details: { path } }),
    cause: error,
  });
}

/**
 * What to do about a disk that cannot be written.
 *
 * @param reason As the operating system or SQLite says it.
 */
export function remedyFor(reason: string): string {
  if (/full|no space|quota/i.test(reason)) {
    return "Free space there (df -h, df -i); taskmux logs-clean deletes logs";
  }
  if (/read-?only/i.test(reason)) return "Make it writable again";
  return "See that the folder is there and that you may write to it";
}
