/**
 * The user for whom a process that was started as root works: found behind `sudo`, handed on as a line of `passwd`.
 *
 * Where the home is follows from the user, never from HOME: `sudo` resets it on Linux and keeps it on macOS.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/** An ordinary user of this machine. */
export interface TargetUser {
  readonly name: string;
  /** Never 0. */
  readonly uid: number;
  readonly gid: number;
  /** Absolute. */
  readonly home: string;
  readonly shell: string;
}

/** The variables by which `sudo` tells who called it. */
export interface SudoEnvironment {
  readonly SUDO_UID?: string | undefined;
  readonly SUDO_GID?: string | undefined;
  readonly SUDO_USER?: string | undefined;
  readonly SUDO_HOME?: string | undefined;
}

const ID_REGEXP = /^\d{1,10}$/;
const MAX_ID = 0xffff_fffe;
const DEFAULT_SHELL = "/bin/sh";

/**
 * The user behind `sudo`. Pure.
 *
 * @param passwd Text of `/etc/passwd`; null where users are not listed there.
 * @returns Null without `sudo`, and when root itself called it.
 * @throws {TaskmuxError} E500 if the variables make no sense, or nothing tells where that user's home is.
 */
export function findSudoUser(
  env: SudoEnvironment,
  passwd: string | null,
  os: typeof Deno.build.os,
): TargetUser | null {
  const { SUDO_UID, SUDO_GID, SUDO_USER: name } = env;
  if (SUDO_UID === undefined || SUDO_UID === "0") return null;
  const uid = parseId(SUDO_UID);
  const gid = parseId(SUDO_GID ?? "");
  if (uid === null || gid === null || name === undefined || !isPlain(name)) {
    throw new TaskmuxError(
      "E500",
      "Cannot tell who called sudo: SUDO_UID, SUDO_GID and SUDO_USER do not fit",
      { hint: "Run it by sudo, or without SUDO_UID in the environment" },
    );
  }
  const entry = passwdEntries(passwd ?? "").find((each) =>
    each.uid === uid && each.name === name
  );
  const home = absolute(env.SUDO_HOME) ?? entry?.home ??
    (os === "darwin" ? `/Users/${name}` : null);
  if (home === null) {
    throw new TaskmuxError(
      "E500",
      `Cannot find the home of "${name}": it is not in /etc/passwd`,
      { hint: 'sudo env SUDO_HOME="$HOME" "PATH=$PATH" taskmux …' },
    );
  }
  return { name, uid, gid, home, shell: entry?.shell ?? DEFAULT_SHELL };
}

/** A user as one argument of a command line. The inverse of {@linkcode parseUser}. */
export function formatUser(user: TargetUser): string {
  const { name, uid, gid, home, shell } = user;
  return `${name}:x:${uid}:${gid}::${home}:${shell}`;
}

/**
 * A line of `passwd`.
 *
 * @throws {TaskmuxError} E500 if it is none, or is that of root.
 */
export function parseUser(line: string): TargetUser {
  const user = parseEntry(line);
  if (user !== null && user.uid !== 0) return user;
  throw new TaskmuxError("E500", `Cannot work for user "${line}"`, {
    hint: "Give a line of /etc/passwd, not that of root",
  });
}

/** An environment in which programs of this user find themselves at home. What `sudo` added is left out. */
export function userEnvironment(
  env: Readonly<Record<string, string>>,
  user: TargetUser,
): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) =>
    !name.startsWith("SUDO_") && name !== "MAIL"
  );
  return {
    ...Object.fromEntries(kept),
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    SHELL: user.shell,
  };
}

function passwdEntries(text: string): TargetUser[] {
  return text.split("\n").flatMap((line) => parseEntry(line) ?? []);
}

function parseEntry(line: string): TargetUser | null {
  const fields = line.split(":");
  if (fields.length !== 7) return null;
  const [name = "", , uidText = "", gidText = "", , homeText, shell] = fields;
  const [uid, gid] = [parseId(uidText), parseId(gidText)];
  const home = absolute(homeText);
  if (uid === null || gid === null || home === null || !isPlain(name)) {
    return null;
  }
  return { name, uid, gid, home, shell: absolute(shell) ?? DEFAULT_SHELL };
}

function parseId(text: string): number | null {
  const id = ID_REGEXP.test(text) ? Number(text) : NaN;
  return id <= MAX_ID ? id : null;
}

/** Whether a name can stand in a line of `passwd`. */
function isPlain(name: string): boolean {
  return /^[^\s:\0]+$/.test(name);
}

function absolute(path: string | undefined): string | null {
  if (path === undefined || !/^\/[^:\n\0]*$/.test(path)) return null;
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}
