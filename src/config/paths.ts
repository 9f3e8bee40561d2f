/**
 * Where everything lives. The only place that knows; pure, and light enough for the CLI's fast path.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/** A Unix socket's path must fit `sun_path`: 104 bytes on macOS, 108 on Linux, the NUL included. */
export const MAX_SOCKET_PATH_BYTES = 103;

/** The variables that decide where state lives. */
export interface PathEnvironment {
  readonly TASKMUX_HOME?: string | undefined;
  readonly HOME?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
}

/** Absolute paths of one state folder. */
export interface Paths {
  readonly home: string;
  readonly hostConfig: string;
  readonly registry: string;
  readonly registryLock: string;
  readonly database: string;
  readonly eventsMirror: string;
  readonly daemonLog: string;
  readonly keeperLog: string;
  readonly projects: string;
  /** Certificate and key of the local certificate authority. */
  readonly ca: string;
  /** The roots of the system and our own certificate in one file. */
  readonly caBundle: string;
  /** Certificates of the projects. */
  readonly certs: string;
  /** Sockets and locks. Outside `home` when that is too deep for a socket, or has a comma in its path. */
  readonly runDir: string;
  readonly daemonSocket: string;
  readonly daemonLock: string;
  readonly daemonInfo: string;
  readonly keeperSocket: string;
  readonly keeperLock: string;
  /** Behind the API's port. */
  readonly httpSocket: string;
}

/**
 * The paths for an environment.
 *
 * @throws {TaskmuxError} E500 if neither TASKMUX_HOME nor HOME is set, or TASKMUX_HOME is not absolute.
 */
export function resolvePaths(env: PathEnvironment): Paths {
  const home = stateFolder(env);
  const runDir = runtimeFolder(home, env);
  return {
    home,
    hostConfig: `${home}/config.toml`,
    registry: `${home}/registry.json`,
    registryLock: `${home}/registry.lock`,
    database: `${home}/taskmux.db`,
    eventsMirror: `${home}/events.jsonl`,
    daemonLog: `${home}/daemon.log`,
    keeperLog: `${home}/keeper.log`,
    projects: `${home}/projects`,
    ca: `${home}/ca`,
    caBundle: `${home}/ca-bundle.pem`,
    certs: `${home}/certs`,
    runDir,
    daemonSocket: `${runDir}/daemon.sock`,
    daemonLock: `${runDir}/daemon.lock`,
    daemonInfo: `${runDir}/daemon.json`,
    keeperSocket: `${runDir}/keeper.sock`,
    keeperLock: `${runDir}/keeper.lock`,
    httpSocket: `${runDir}/http.sock`,
  };
}

/** The folder of a project's logs. */
export function logFolder(paths: Paths, projectId: string): string {
  return `${paths.projects}/${projectId}/logs`;
}

/** The default log file of a task. */
export function logFile(
  paths: Paths,
  projectId: string,
  task: string,
): string {
  return `${logFolder(paths, projectId)}/${task}.log`;
}

/** The folder of a project's tunnels: logs of requests, and files for programs of providers. */
export function tunnelFolder(
  { projects }: Pick<Paths, "projects">,
  projectId: string,
): string {
  return `${projects}/${projectId}/tunnels`;
}

/** The log of the requests that came to a task from outside. */
export function requestLogFile(
  paths: Pick<Paths, "projects">,
  projectId: string,
  task: string,
): string {
  return `${tunnelFolder(paths, projectId)}/${task}.requests.log`;
}

function stateFolder(env: PathEnvironment): string {
  const explicit = env.TASKMUX_HOME;
  if (explicit !== undefined && explicit !== "") {
    if (explicit.startsWith("/")) return withoutTrailingSlash(explicit);
    throw new TaskmuxError(
      "E500",
      `Cannot use TASKMUX_HOME "${explicit}": it must be an absolute path`,
      { hint: `export TASKMUX_HOME="$PWD/${explicit}"` },
    );
  }
  if (env.HOME !== undefined && env.HOME.startsWith("/")) {
    return `${withoutTrailingSlash(env.HOME)}/.taskmux`;
  }
  throw new TaskmuxError(
    "E500",
    "Cannot find the state folder: neither TASKMUX_HOME nor HOME is set",
    { hint: "export TASKMUX_HOME=/an/absolute/path" },
  );
}

function runtimeFolder(home: string, env: PathEnvironment): string {
  const inside = `${home}/run`;
  const longest = new TextEncoder().encode(`${inside}/keeper.sock`).length;
  // Deno splits permissions at commas, so a socket below such a folder could not be permitted.
  const isGrantable = !inside.includes(",");
  if (longest <= MAX_SOCKET_PATH_BYTES && isGrantable) return inside;
  const base = env.XDG_RUNTIME_DIR?.startsWith("/")
    ? withoutTrailingSlash(env.XDG_RUNTIME_DIR)
    : "/tmp";
  return `${base}/taskmux-${fingerprint(home)}`;
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** FNV-1a, 64 bits, hexadecimal: a name for a folder, not a secret. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
