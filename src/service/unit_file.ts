/**
 * The file by which a service manager knows the daemon: where it is, writing it, removing it.
 *
 * The service manager itself is not called; {@linkcode UnitFile.afterInstall} tells what to type.
 *
 * @module
 */

import { dirname } from "node:path/posix";
import { TaskmuxError } from "../domain/error.ts";
import { writeFileAtomic } from "../kit/atomic_file.ts";
import { LAUNCHD_LABEL, launchdPlist } from "./launchd_plist.ts";
import {
  MARK,
  type Service,
  type ServicePlatform,
  type ServiceScope,
} from "./service.ts";
import { systemdUnit, UNIT_NAME } from "./systemd_unit.ts";

/** Everybody may read it: it holds no secret, and launchd demands it. */
const UNIT_MODE = 0o644;

/** The variables that decide where a user's file is. */
export interface UnitEnvironment {
  readonly HOME?: string | undefined;
  readonly XDG_CONFIG_HOME?: string | undefined;
}

/** One place for such a file. */
export interface UnitFile {
  readonly platform: ServicePlatform;
  readonly scope: ServiceScope;
  readonly path: string;
  /** Links to the file that the service manager makes at `enable`. */
  readonly links: readonly string[];
  /** What to type, so that the manager runs what was written. */
  readonly afterInstall: readonly string[];
  /** What to type, so that it no longer runs what was removed. */
  readonly afterUninstall: readonly string[];
  /** What is to be written. */
  text(service: Service): string;
}

/**
 * Where the file is.
 *
 * @throws {TaskmuxError} E500 on other systems than Linux and macOS, and for a user without HOME.
 */
export function unitFile(
  scope: ServiceScope,
  env: UnitEnvironment,
  os: typeof Deno.build.os,
): UnitFile {
  if (os === "linux") return systemdFile(scope, env);
  if (os === "darwin") return launchdFile(scope, env);
  throw new TaskmuxError(
    "E500",
    `Cannot install a service: that of "${os}" is unknown`,
    { hint: "taskmux daemon start" },
  );
}

/** The files of this machine that are ours, those of the user first. */
export async function findUnits(
  env: UnitEnvironment,
  os: typeof Deno.build.os,
): Promise<{ scope: ServiceScope; path: string }[]> {
  if (os !== "linux" && os !== "darwin") return [];
  const scopes: ServiceScope[] = env.HOME === undefined
    ? ["system"]
    : ["user", "system"];
  const found: { scope: ServiceScope; path: string }[] = [];
  for (const scope of scopes) {
    const { path } = unitFile(scope, env, os);
    if (isOurs(await readUnit(path))) found.push({ scope, path });
  }
  return found;
}

/**
 * Writes the file.
 *
 * @returns Whether it is new, was changed, or was so already.
 * @throws {TaskmuxError} E500 if there is a file that is not ours; E900 if it cannot be written.
 */
export async function writeUnit(
  file: UnitFile,
  text: string,
): Promise<"installed" | "updated" | "unchanged"> {
  const before = await readUnit(file.path);
  if (before === text) return "unchanged";
  if (before !== null && !isOurs(before)) throw foreign(file.path, "overwrite");
  await permitted(file, "write", async () => {
    await Deno.mkdir(dirname(file.path), { recursive: true });
    await writeFileAtomic(file.path, text, { mode: UNIT_MODE });
  });
  return before === null ? "installed" : "updated";
}

/**
 * Removes the file and the links to it.
 *
 * @returns Whether there was one.
 * @throws {TaskmuxError} E500 if it is not ours; E900 if it cannot be removed.
 */
export async function removeUnit(file: UnitFile): Promise<boolean> {
  const text = await readUnit(file.path);
  if (text === null) return false;
  if (!isOurs(text)) throw foreign(file.path, "remove");
  await permitted(file, "remove", async () => {
    for (const link of file.links) await removeLink(link);
    await Deno.remove(file.path);
  });
  return true;
}

function systemdFile(scope: ServiceScope, env: UnitEnvironment): UnitFile {
  const isUser = scope === "user";
  const folder = isUser
    ? `${configFolder(env)}/systemd/user`
    : "/etc/systemd/system";
  const systemctl = isUser ? "systemctl --user" : "systemctl";
  const target = isUser ? "default.target" : "multi-user.target";
  return {
    platform: "linux",
    scope,
    path: `${folder}/${UNIT_NAME}`,
    links: [`${folder}/${target}.wants/${UNIT_NAME}`],
    afterInstall: [
      `${systemctl} daemon-reload`,
      `${systemctl} enable --now ${UNIT_NAME}`,
    ],
    afterUninstall: [
      `${systemctl} stop ${UNIT_NAME}`,
      `${systemctl} daemon-reload`,
    ],
    text: systemdUnit,
  };
}

function launchdFile(scope: ServiceScope, env: UnitEnvironment): UnitFile {
  const isUser = scope === "user";
  const folder = isUser
    ? `${homeOf(env)}/Library/LaunchAgents`
    : "/Library/LaunchDaemons";
  const path = `${folder}/${LAUNCHD_LABEL}.plist`;
  const domain = isUser ? "gui/$(id -u)" : "system";
  return {
    platform: "macos",
    scope,
    path,
    links: [],
    afterInstall: [`launchctl bootstrap ${domain} "${path}"`],
    afterUninstall: [`launchctl bootout ${domain}/${LAUNCHD_LABEL}`],
    text: launchdPlist,
  };
}

function configFolder(env: UnitEnvironment): string {
  const { XDG_CONFIG_HOME } = env;
  return XDG_CONFIG_HOME?.startsWith("/")
    ? XDG_CONFIG_HOME.replace(/(?<=.)\/+$/, "")
    : `${homeOf(env)}/.config`;
}

function homeOf({ HOME }: UnitEnvironment): string {
  if (HOME?.startsWith("/")) return HOME;
  throw new TaskmuxError("E500", "Cannot find your home: HOME is not set", {
    hint: 'export HOME="$(echo ~)"',
  });
}

function isOurs(text: string | null): boolean {
  return text?.includes(MARK) ?? false;
}

async function readUnit(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function removeLink(path: string): Promise<void> {
  try {
    if ((await Deno.lstat(path)).isSymlink) await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function permitted(
  { path, scope }: UnitFile,
  verb: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new TaskmuxError(
      "E900",
      `Cannot ${verb} "${path}": only ${
        scope === "system" ? "root" : "its owner"
      } may`,
      {
        hint: scope === "system"
          ? 'Say it again with sudo env "PATH=$PATH" before it'
          : `ls -ld "${dirname(path)}"`,
        cause: error,
      },
    );
  }
}

function foreign(path: string, verb: string): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot ${verb} "${path}": taskmux did not write it`,
    { hint: `mv "${path}" "${path}.old"`, details: { path } },
  );
}
