/**
 * Where the C library of this machine lies, for those that name it in `--allow-ffi` and those that open it.
 *
 * @module
 */

/**
 * Where the C library can lie, most likely first. The kernel's loader follows the same places.
 *
 * Empty for systems the keeper does not run on.
 */
export function libcCandidates(
  os: typeof Deno.build.os,
  arch: typeof Deno.build.arch,
): readonly string[] {
  // In the shared cache of the system: it can be opened although no such file exists.
  if (os === "darwin") return ["/usr/lib/libSystem.B.dylib"];
  if (os !== "linux") return [];
  return [
    `/lib/${arch}-linux-gnu/libc.so.6`,
    `/usr/lib/${arch}-linux-gnu/libc.so.6`,
    "/lib64/libc.so.6",
    "/usr/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/libc.so.6",
  ];
}

/**
 * The C library of this machine, as it must be named in `--allow-ffi` and opened.
 *
 * @param exists Whether a file is there. Symbolic links are followed by the loader, not here: the grant is for the name.
 * @returns Null if it lies at none of the known places.
 */
export function libcPath(
  os: typeof Deno.build.os,
  arch: typeof Deno.build.arch,
  exists: (path: string) => boolean,
): string | null {
  const candidates = libcCandidates(os, arch);
  if (os === "darwin") return candidates[0] ?? null;
  return candidates.find(exists) ?? null;
}

/** The C library of the machine this runs on; null if it lies at none of the known places. Looks at a few files. */
export function findLibc(): string | null {
  return libcPath(Deno.build.os, Deno.build.arch, isFile);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
