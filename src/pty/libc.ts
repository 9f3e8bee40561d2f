/**
 * The C library through FFI: which of its functions are bound.
 *
 * Only calls whose arguments do not depend on variadic calling conventions are bound on macOS. Nothing here uses raw
 * pointers, so that all of it goes on working after the permission for native code is given back.
 *
 * @module
 */

/** Operating systems that the keeper runs on. */
export type KeeperOs = "linux" | "darwin";

const SHARED = {
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  dup: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  access: { parameters: ["buffer", "i32"], result: "i32" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
} as const;

const LINUX = {
  ...SHARED,
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  prctl: {
    parameters: ["i32", "usize", "usize", "usize", "usize"],
    result: "i32",
  },
  prlimit: {
    parameters: ["i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
} as const;

const DARWIN = {
  ...SHARED,
  open: { parameters: ["buffer", "i32"], result: "i32" },
  getsid: { parameters: ["i32"], result: "i32" },
  sysctl: {
    parameters: ["buffer", "u32", "buffer", "buffer", "pointer", "usize"],
    result: "i32",
  },
  sysctlbyname: {
    parameters: ["buffer", "buffer", "buffer", "pointer", "usize"],
    result: "i32",
  },
  proc_listallpids: { parameters: ["buffer", "i32"], result: "i32" },
  proc_pidinfo: {
    parameters: ["i32", "i32", "u64", "buffer", "i32"],
    result: "i32",
  },
} as const;

/** The bound functions on Linux. */
export type LinuxLibc = Deno.DynamicLibrary<typeof LINUX>["symbols"];

/** The bound functions on macOS. */
export type DarwinLibc = Deno.DynamicLibrary<typeof DARWIN>["symbols"];

/** Binds the C library of a Linux machine. Needs the permission for native code at exactly this path. */
export function openLinuxLibc(path: string): LinuxLibc {
  return Deno.dlopen(path, LINUX).symbols;
}

/** Binds the C library of a Mac. Needs the permission for native code at exactly this path. */
export function openDarwinLibc(path: string): DarwinLibc {
  return Deno.dlopen(path, DARWIN).symbols;
}
