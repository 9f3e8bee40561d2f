/**
 * The functions of the C library by which a process gives up the rights of root.
 *
 * The C library changes the ids of every thread of the process, which a system call of our own would not.
 *
 * @module
 */

const SHARED = {
  geteuid: { parameters: [], result: "u32" },
  getuid: { parameters: [], result: "u32" },
  getegid: { parameters: [], result: "u32" },
  getgid: { parameters: [], result: "u32" },
  initgroups: { parameters: ["buffer", "u32"], result: "i32" },
  seteuid: { parameters: ["u32"], result: "i32" },
  setegid: { parameters: ["u32"], result: "i32" },
  setuid: { parameters: ["u32"], result: "i32" },
  setgid: { parameters: ["u32"], result: "i32" },
} as const;

const LINUX = {
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  fchownat: {
    parameters: ["i32", "buffer", "u32", "u32", "i32"],
    result: "i32",
  },
} as const;

/** Functions about the ids of this process. */
export type IdFunctions = Deno.DynamicLibrary<typeof SHARED>["symbols"];

/** Functions about owners of files that follow no path a second time. Linux only. */
export type OwnerFunctions = Deno.DynamicLibrary<typeof LINUX>["symbols"];

/** Binds {@linkcode IdFunctions}. Needs the permission for native code at exactly this path. */
export function openIdFunctions(libc: string): IdFunctions {
  return Deno.dlopen(libc, SHARED).symbols;
}

/** Binds {@linkcode OwnerFunctions}. Needs the permission for native code at exactly this path. */
export function openOwnerFunctions(libc: string): OwnerFunctions {
  return Deno.dlopen(libc, LINUX).symbols;
}
