/**
 * The choice between the operating systems the keeper runs on.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { DarwinSystem } from "./darwin_system.ts";
import { LinuxSystem } from "./linux_system.ts";
import type { System } from "./system.ts";

/**
 * Opens the system and prepares this process as a keeper: it adopts orphans, keeps its descriptors to itself and may
 * open as many as the system lets it. Done once, before anything else.
 *
 * @param libc The C library, see `config/libc_path.ts`. Needs the permission for native code at this path.
 * @throws {TaskmuxError} E900 if the operating system is neither Linux nor macOS.
 */
export function openSystem(libc: string, os: typeof Deno.build.os): System {
  if (os === "linux") return new LinuxSystem(libc);
  if (os === "darwin") return new DarwinSystem(libc);
  throw new TaskmuxError("E900", `Cannot run the keeper: "${os}" is unknown`, {
    hint: "Use Linux or macOS",
  });
}
