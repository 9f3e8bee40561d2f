/**
 * Where the daemon's port is. For Deno and Node alike.
 *
 * @module
 */

import { resolvePaths } from "../config/paths.ts";
import { unreachable } from "./api_error.ts";

/** What tells where to connect; the first of them that is given. */
export interface ApiPlace {
  /** Such as `ws://localhost:8765`. */
  readonly url?: string | undefined;
  /** Port on this machine. */
  readonly port?: number | undefined;
  /** State folder of the daemon; by default `TASKMUX_HOME`, else `~/.taskmux`. */
  readonly home?: string | undefined;
}

/**
 * The address. Read anew for each connection: a daemon that was started again may have another port.
 *
 * @throws {ApiError} E600 if no daemon of that folder has a port.
 */
export async function findApi({ url, port, home }: ApiPlace): Promise<URL> {
  if (url !== undefined) return new URL(url);
  return new URL(`ws://localhost:${port ?? await portOf(home)}/`);
}

async function portOf(home: string | undefined): Promise<number> {
  const { env } = await import("node:process");
  const { readFile } = await import("node:fs/promises");
  const { daemonInfo } = resolvePaths({
    HOME: env["HOME"],
    XDG_RUNTIME_DIR: env["XDG_RUNTIME_DIR"],
    TASKMUX_HOME: home ?? env["TASKMUX_HOME"],
  });
  let port: unknown;
  try {
    port = JSON.parse(await readFile(daemonInfo, "utf8"))["api_port"];
  } catch (error) {
    const isAbsent = error instanceof SyntaxError ||
      (error instanceof Error && "code" in error && error.code === "ENOENT");
    if (!isAbsent) throw error;
  }
  if (typeof port === "number") return port;
  throw unreachable(`Cannot connect: "${daemonInfo}" tells of no port`);
}
