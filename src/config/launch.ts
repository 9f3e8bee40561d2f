/**
 * How one process of taskmux starts another: which program, which arguments, which environment. Starts nothing itself.
 *
 * @module
 */

/**
 * Flag of the processes that stay. Users' regular expressions (`ready_log`, `logs -g`) run inside them; one that would
 * take for ever is handed to V8's linear-time engine after so many steps back.
 */
export const REGEXP_GUARD =
  "--v8-flags=--enable-experimental-regexp-engine-on-excessive-backtracks,--regexp-backtracks-before-fallback=10000";

/**
 * The flags of the daemon. V8 lets as much garbage of buffers pile up as its young generation has room for the objects
 * that hold them: with the 16 MB it would take, half a gigabyte while large bodies pass the proxy.
 */
export const DAEMON_V8_FLAGS = `${REGEXP_GUARD},--max-semi-space-size=4`;

/**
 * Exit status of a daemon under a service manager that is to be started again at once: it was asked to make room for the
 * next one, and its tasks run on.
 */
export const START_AGAIN_EXIT = 75;

/** The processes that are started by another one. */
export type Entry = "daemon" | "keeper";

/** A command line. */
export interface LaunchCommand {
  readonly program: string;
  readonly args: string[];
}

/** What to launch. */
export interface Launch {
  /** What {@linkcode entryPoint} answered. */
  readonly entry: string;
  /** Permission flags, see `permissions.ts`. */
  readonly flags: readonly string[];
  /** Arguments of the process itself. */
  readonly args?: readonly string[];
  /** The runtime; by name, because `--allow-run=deno` permits the name and not the path it resolves to. */
  readonly program?: string;
}

/**
 * The specifier of an entry point, of the same version as the module that asks.
 *
 * A checkout gives a file path, a package from JSR `jsr:@taskmux/cli@VERSION/ENTRY`, any other host its URL.
 *
 * @param moduleUrl URL of this very module; a parameter only for tests.
 */
export function entryPoint(
  entry: Entry,
  moduleUrl: string = import.meta.url,
): string {
  const url = new URL(`../${entry}/main.ts`, moduleUrl);
  if (url.protocol === "file:") return decodeURIComponent(url.pathname);
  const version = /\/@taskmux\/cli\/([^/]+)\/src\//.exec(url.pathname)?.[1];
  return version === undefined
    ? url.href
    : `jsr:@taskmux/cli@${version}/${entry}`;
}

/**
 * The command that launches an entry point.
 *
 * Deno finds a checkout's `deno.json` from the entry's folder, whatever the working directory; a package must not pick
 * up the `deno.json` of the project it is started in. `--quiet` keeps Deno's own notes out of logs.
 */
export function denoCommand(launch: Launch): LaunchCommand {
  const isFile = launch.entry.startsWith("/");
  return {
    program: launch.program ?? "deno",
    args: [
      "run",
      "--quiet",
      ...(isFile ? [] : ["--no-config"]),
      ...launch.flags,
      launch.entry,
      ...(launch.args ?? []),
    ],
  };
}

/**
 * An environment that may be given to a child under a scoped `--allow-run`, with `clearEnv`.
 *
 * Deno refuses to start any child while `LD_*` or `DYLD_*` is set, even an inherited one, because such a variable makes
 * the permitted program run other code.
 */
export function launchEnvironment(
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(?:LD|DYLD)_/.test(name)),
  );
}
