/**
 * The beginning of a daemon that is started as root on behalf of a user: binds the ports that only root can bind, gives
 * back what Deno wrote as root, and becomes that user. Everything after it is as in any other daemon.
 *
 * @module
 */

import { isProxyForbidden } from "../config/proxy_forbidden.ts";
import { loadHostConfig } from "../config/host_config.ts";
import { resolvePaths } from "../config/paths.ts";
import { denoDirectory } from "../config/permissions.ts";
import { type TargetUser, userEnvironment } from "../config/target_user.ts";
import { TaskmuxError } from "../domain/error.ts";
import { RootPrivileges } from "../privilege/root_privileges.ts";
import { loadDeferredModules } from "./deferred_modules.ts";
import {
  type FrontPorts,
  type FrontSettings,
  openFrontPorts,
} from "./open_front_ports.ts";

/** What is left of having been root. */
export interface PrivilegedStart {
  /** That of the user, for this process and those it starts. */
  readonly environment: Record<string, string>;
  /** Null if none were to be bound. */
  readonly front: FrontPorts | null;
  readonly warnings: readonly string[];
}

/**
 * Does all that. Afterwards this process has neither the rights of root nor the permission for native code.
 *
 * The user's files are read with the user's rights only: a link of theirs leads root nowhere.
 *
 * @param environment That which root gave.
 * @throws {TaskmuxError} E500 if this process is not root's, E900 if it cannot become the user. It must end then.
 */
export async function startPrivileged(
  user: TargetUser,
  options: {
    readonly libc: string;
    readonly environment: Readonly<Record<string, string>>;
    /** False for a process that only looks whether a daemon could run. */
    readonly bindsPorts: boolean;
  },
): Promise<PrivilegedStart> {
  const root = RootPrivileges.open(options.libc);
  const environment = userEnvironment(options.environment, user);
  const paths = resolvePaths(environment);
  const { left } = root.handOver(user, [
    paths.home,
    denoDirectory(environment, Deno.build.os),
  ]);
  const proxy = await root.as(user, () => readProxy(paths.hostConfig));
  const isUnwanted = !options.bindsPorts || isProxyForbidden(environment);
  const front = proxy === null || isUnwanted
    ? null
    : await openFrontPorts(proxy);
  if (options.bindsPorts) await loadDeferredModules();
  root.drop(user);
  Deno.permissions.revokeSync({ name: "ffi" });
  return {
    environment,
    front,
    warnings: left.map((path) =>
      `${path} belongs to root and was left as it is; remove it if nothing needs it`
    ),
  };
}

/** The settings of the proxy; null if there is to be none. */
async function readProxy(
  path: string,
): Promise<FrontSettings | null> {
  try {
    const { proxy } = (await loadHostConfig(path)).config;
    return proxy.enabled ? proxy : null;
  } catch (error) {
    // It is read again, and its problem told, when the daemon opens its state.
    if (error instanceof TaskmuxError) return null;
    throw error;
  }
}
