/**
 * What each process may do: the one source of the flags that the launcher passes, the README prints and the tests use.
 *
 * Reading and writing are unscoped because projects lie anywhere, and the environment is because `start` hands over the
 * caller's whole environment (docs/decisions/0008). What stays narrow is the network, programs and native code.
 * Nothing here starts a process.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { Paths } from "./paths.ts";

/** Permissions of one process, in the words of Deno. An absent one is denied. */
export interface PermissionSet {
  readonly read: true;
  readonly write: true;
  readonly env?: true;
  /** Programs by name on the PATH, or any. */
  readonly run?: true | readonly string[];
  /** Hosts and `unix:` sockets. */
  readonly net: readonly string[];
  /** Libraries, and folders of libraries. */
  readonly ffi?: readonly string[];
}

/** The libraries the keeper loads. */
export interface NativeCode {
  /** Absolute path of Deno's cache, see {@linkcode denoDirectory}. */
  readonly denoDir: string;
  /** The C library, exactly as it is passed to `Deno.dlopen`. */
  readonly libc: string;
}

/** Hosts that are this machine. The daemon listens, probes and proxies nowhere else. */
const LOOPBACK = ["127.0.0.0/8", "[::1]", "localhost", "*.localhost"];

/** The one other machine that the daemon asks, about public names: `docs/decisions/0032`. */
const CLOUDFLARE_API = "api.cloudflare.com:443";

/** The CLI: asks the daemon, or else the keeper; starts the daemon; reads worktrees. */
export function cliPermissions(paths: Paths): PermissionSet {
  return {
    read: true,
    write: true,
    env: true,
    run: ["deno", "git"],
    // The keeper is asked only where no daemon is: what still runs is told as it is.
    net: [`unix:${paths.daemonSocket}`, `unix:${paths.keeperSocket}`],
  };
}

/** What only some daemons may. */
export interface DaemonGrants {
  /** The C library, for one that starts as root and becomes a user; it gives this up as soon as it did. */
  readonly libc?: string | undefined;
  /** Addresses beyond loopback on which it may listen, see `permittedBinds`. */
  readonly binds?: readonly string[];
}

/** The daemon: runs hooks and probes, so any program, yet asks no other machine but the API of Cloudflare. */
export function daemonPermissions(
  paths: Paths,
  { libc, binds = [] }: DaemonGrants = {},
): PermissionSet {
  return {
    read: true,
    write: true,
    env: true,
    run: true,
    net: [
      ...LOOPBACK,
      CLOUDFLARE_API,
      ...binds,
      `unix:${paths.daemonSocket}`,
      `unix:${paths.keeperSocket}`,
      `unix:${paths.httpSocket}`,
    ],
    ...(libc === undefined ? {} : { ffi: [libc] }),
  };
}

/** The keeper: native code from two places, one socket, no program. Tasks are forked by the native code, below Deno. */
export function keeperPermissions(
  paths: Paths,
  native: NativeCode,
): PermissionSet {
  return {
    read: true,
    write: true,
    net: [`unix:${paths.keeperSocket}`],
    ffi: [`${native.denoDir}/npm`, native.libc],
  };
}

/**
 * Flags of `deno run` for the CLI. The first has Deno load the module of a command when it is called, not those of all
 * commands to begin with: `docs/decisions/0019`. The second keeps what a long search throws away from piling up: V8 would
 * let 16 MB of it grow to 80 MB of memory before it looks, and is no faster for it.
 */
export function cliFlags(paths: Paths): string[] {
  return [
    "--unstable-lazy-dynamic-imports",
    "--v8-flags=--max-semi-space-size=4",
    ...permissionFlags(cliPermissions(paths)),
  ];
}

/** Flags of `deno run` for the daemon. The first gives it UDP, for the DNS server: `docs/decisions/0022`. */
export function daemonFlags(paths: Paths, grants: DaemonGrants = {}): string[] {
  return [
    "--unstable-net",
    ...permissionFlags(daemonPermissions(paths, grants)),
  ];
}

/**
 * Flags of `deno run` for the keeper.
 *
 * @throws {TaskmuxError} E500 if a path holds a comma, which Deno cannot express.
 */
export function keeperFlags(paths: Paths, native: NativeCode): string[] {
  return permissionFlags(keeperPermissions(paths, native));
}

/**
 * A permission set as flags of `deno run`, `--no-prompt` first.
 *
 * @throws {TaskmuxError} E500 if a value holds a comma, which Deno cannot express.
 */
export function permissionFlags(set: PermissionSet): string[] {
  const flags = ["--no-prompt"];
  const names = ["read", "write", "env", "run", "net", "ffi"] as const;
  for (const name of names) {
    const grant = set[name];
    if (grant === undefined) continue;
    flags.push(
      grant === true
        ? `--allow-${name}`
        : `--allow-${name}=${grant.map(withoutComma).join(",")}`,
    );
  }
  return flags;
}

/** What decides where Deno keeps its cache. */
export interface DenoEnvironment {
  readonly DENO_DIR?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/**
 * The folder in which Deno keeps npm packages, native ones too: its own rule, without asking it.
 *
 * @throws {TaskmuxError} E500 if neither DENO_DIR, XDG_CACHE_HOME nor HOME is set, or DENO_DIR is not absolute.
 */
export function denoDirectory(
  env: DenoEnvironment,
  os: typeof Deno.build.os,
): string {
  if (env.DENO_DIR !== undefined && env.DENO_DIR !== "") {
    if (env.DENO_DIR.startsWith("/")) return env.DENO_DIR;
    throw new TaskmuxError(
      "E500",
      `Cannot use DENO_DIR "${env.DENO_DIR}": it must be an absolute path`,
      { hint: `export DENO_DIR="$PWD/${env.DENO_DIR}"` },
    );
  }
  if (os !== "darwin" && env.XDG_CACHE_HOME?.startsWith("/")) {
    return `${env.XDG_CACHE_HOME}/deno`;
  }
  if (env.HOME?.startsWith("/")) {
    return os === "darwin"
      ? `${env.HOME}/Library/Caches/deno`
      : `${env.HOME}/.cache/deno`;
  }
  throw new TaskmuxError(
    "E500",
    "Cannot find the cache of Deno: neither DENO_DIR nor HOME is set",
    { hint: "export DENO_DIR=/an/absolute/path" },
  );
}

function withoutComma(value: string): string {
  if (!value.includes(",")) return value;
  throw new TaskmuxError(
    "E500",
    `Cannot permit "${value}": Deno splits permissions at commas`,
    { hint: "Use a path without a comma" },
  );
}
