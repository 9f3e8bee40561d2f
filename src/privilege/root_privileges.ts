/**
 * What a process that was started as root may do before it becomes an ordinary user for ever.
 *
 * @module
 */

import type { TargetUser } from "../config/target_user.ts";
import { TaskmuxError } from "../domain/error.ts";
import { cString } from "../kit/c_string.ts";
import { type HandedOver, handOver } from "./hand_over.ts";
import {
  type IdFunctions,
  openIdFunctions,
  openOwnerFunctions,
} from "./privilege_libc.ts";

/** See the module. One at a time: the ids are those of the whole process. */
export class RootPrivileges {
  readonly #libc: string;
  readonly #ids: IdFunctions;

  private constructor(libc: string, ids: IdFunctions) {
    this.#libc = libc;
    this.#ids = ids;
  }

  /**
   * Takes hold of them. Needs the permission for native code at exactly this path.
   *
   * @throws {TaskmuxError} E500 if this process is not root's.
   */
  static open(libc: string): RootPrivileges {
    const ids = openIdFunctions(libc);
    if (ids.geteuid() === 0) return new RootPrivileges(libc, ids);
    throw new TaskmuxError(
      "E500",
      "Cannot become another user: this process is not root's",
      { hint: "Leave out --as, or run it as root" },
    );
  }

  /** See {@linkcode handOver}. Does nothing where that cannot be done safely, which is everywhere but on Linux. */
  handOver(user: TargetUser, folders: readonly string[]): HandedOver {
    if (Deno.build.os !== "linux") return { changed: 0, left: [] };
    return handOver(openOwnerFunctions(this.#libc), user, folders);
  }

  /**
   * Does something with the rights of the user, and is root again after it.
   *
   * @throws What the work throws; {@linkcode TaskmuxError} E900 if the rights cannot be changed.
   */
  async as<T>(user: TargetUser, work: () => Promise<T>): Promise<T> {
    const { initgroups, setegid, seteuid } = this.#ids;
    const rootAgain = (): void => {
      if (seteuid(0) !== 0 || setegid(0) !== 0) throw refused("root");
    };
    try {
      demand(initgroups(cString(user.name), user.gid), user);
      demand(setegid(user.gid), user);
      demand(seteuid(user.uid), user);
      return await work();
    } finally {
      rootAgain();
    }
  }

  /**
   * Becomes the user, in every thread, for ever.
   *
   * @throws {TaskmuxError} E900 if that is not so afterwards. The process must end then.
   */
  drop(user: TargetUser): void {
    const ids = this.#ids;
    demand(ids.initgroups(cString(user.name), user.gid), user);
    demand(ids.setgid(user.gid), user);
    demand(ids.setuid(user.uid), user);
    const isUser = ids.getuid() === user.uid && ids.geteuid() === user.uid &&
      ids.getgid() === user.gid && ids.getegid() === user.gid;
    // The attempt is the proof.
    const isFinal = ids.setuid(0) !== 0 && ids.seteuid(0) !== 0 &&
      (user.gid === 0 || ids.setegid(0) !== 0);
    if (!isUser || !isFinal) throw refused(user.name);
  }
}

function demand(status: number, user: TargetUser): void {
  if (status !== 0) throw refused(user.name);
}

function refused(name: string): TaskmuxError {
  return new TaskmuxError(
    "E900",
    `Cannot become user "${name}": the system refuses it`,
    { hint: "Run taskmux as that user" },
  );
}
