/**
 * What a service manager is told about the daemon.
 *
 * @module
 */

import type { LaunchCommand } from "../config/launch.ts";

/** Stands in every file that `daemon install` writes; a file without it is somebody else's. */
export const MARK =
  "Written by `taskmux daemon install`; `taskmux daemon uninstall` removes it.";

/** Whose service manager: that of one user's sessions, or that of the machine. */
export type ServiceScope = "user" | "system";

/** Operating systems whose service manager is known. */
export type ServicePlatform = "linux" | "macos";

/** A daemon to be run by a service manager. */
export interface Service {
  readonly scope: ServiceScope;
  /** Name of the user it works for. */
  readonly owner: string;
  /** With an absolute program. */
  readonly command: LaunchCommand;
  /** The whole environment that is to be set. */
  readonly environment: Readonly<Record<string, string>>;
}
