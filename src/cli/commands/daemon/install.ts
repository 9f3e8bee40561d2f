/**
 * `taskmux daemon install` and `taskmux daemon uninstall`
 *
 * @module
 */

import {
  DAEMON_V8_FLAGS,
  denoCommand,
  entryPoint,
  type LaunchCommand,
} from "../../../config/launch.ts";
import { findLibc } from "../../../config/libc_path.ts";
import type { Paths } from "../../../config/paths.ts";
import { daemonFlags, denoDirectory } from "../../../config/permissions.ts";
import { permittedBinds } from "../../../config/proxy_bind.ts";
import { formatUser } from "../../../config/target_user.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import type { Service, ServiceScope } from "../../../service/service.ts";
import {
  removeUnit,
  type UnitFile,
  unitFile,
  writeUnit,
} from "../../../service/unit_file.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { refuseSudo } from "../../sudo.ts";

const SYSTEM_OPTION = {
  type: "boolean",
  summary: "For the machine: with sudo, from boot on, ports 80 and 443 too",
} as const;

/** Where programs of a user are, beside what the PATH says. */
const USER_PROGRAMS = [".deno/bin", ".local/bin", ".cargo/bin", ".bun/bin"];

/** Writes the file by which the service manager runs the daemon. */
export const daemonInstall = command({
  usage: "[--system] [--dry-run]",
  about:
    "Writes a unit of systemd, or an agent of launchd, and tells what to type " +
    "to enable it. After a boot\nthe daemon then starts by itself, and with it " +
    "the tasks that were up.",
  options: {
    system: SYSTEM_OPTION,
    "dry-run": { type: "boolean", summary: "Write nothing, show the file" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux daemon install --dry-run", "See what would be written"],
    ["taskmux daemon install", "Without root, for your own sessions"],
    [
      'sudo env "PATH=$PATH" taskmux daemon install --system',
      "For the machine",
    ],
  ],
  async run(context, { values }) {
    const { output } = context;
    const scope: ServiceScope = values.system ? "system" : "user";
    const file = unitFile(scope, context.env(), Deno.build.os);
    const text = file.text(serviceOf(context, scope));
    const { platform, path } = file;
    if (values["dry-run"]) {
      const answer = { ok: true, dry_run: true, platform, path, content: text };
      await output.answer(answer, () => [`# would write ${path}`, text]);
      return EXIT.ok;
    }
    if (scope === "user") {
      refuseSudo(context.user, "install a service of a user");
    }
    const action = await writeUnit(file, text);
    const linger = await hasLinger(file, context);
    const next = [
      ...file.afterInstall,
      ...linger === false ? ["loginctl enable-linger"] : [],
    ];
    await output.answer(
      { ok: true, platform, scope, path, action, linger, next },
      () => [
        action === "unchanged" ? `${path} is up to date` : `Wrote ${path}`,
        "Next:",
        ...next.map((line) => `  ${line}`),
        ...linger === false
          ? ["Without the last one it runs only while you are logged in."]
          : [],
      ],
    );
    return EXIT.ok;
  },
});

/** Removes that file. */
export const daemonUninstall = command({
  usage: "[--system]",
  about: "Removes what install wrote, and nothing else. Nothing is stopped.",
  options: { system: SYSTEM_OPTION },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon uninstall", "No longer start with the machine"]],
  async run(context, { values }) {
    const scope: ServiceScope = values.system ? "system" : "user";
    const file = unitFile(scope, context.env(), Deno.build.os);
    if (scope === "user") {
      refuseSudo(context.user, "remove a service of a user");
    }
    const { platform, path } = file;
    const removed = await removeUnit(file);
    const next = removed ? file.afterUninstall : [];
    await context.output.answer(
      { ok: true, platform, scope, path, removed, next },
      () =>
        removed
          ? [`Removed ${path}`, "Next:", ...next.map((line) => `  ${line}`)]
          : [`There is no ${path}`],
    );
    return EXIT.ok;
  },
});

function serviceOf(context: Context, scope: ServiceScope): Service {
  const { paths, user } = context;
  if (scope === "system") requireOwnRunFolder(paths);
  const env = context.env();
  const program = findDeno(env);
  const path = searchPath(env, program);
  // Root's daemon works for the user who called sudo, and becomes that user; else it is that of whoever asks.
  const becomes = scope === "system" && user !== null ? user : null;
  const grants = {
    libc: becomes === null ? undefined : findLibc() ?? undefined,
    binds: permittedBinds(paths.hostConfig),
  };
  const command: LaunchCommand = denoCommand({
    program,
    entry: entryPoint("daemon"),
    flags: [DAEMON_V8_FLAGS, ...daemonFlags(paths, grants)],
    args: [
      "--foreground",
      "--service",
      ...becomes === null ? [] : [`--as=${formatUser(becomes)}`],
    ],
  });
  const kept = ["TASKMUX_HOME", "DENO_DIR", "XDG_CACHE_HOME", "LANG"];
  const environment: Record<string, string> = { PATH: path };
  for (const name of kept) {
    const value = env[name];
    if (value !== undefined && value !== "") environment[name] = value;
  }
  if (scope === "system") {
    environment["HOME"] = env["HOME"] ?? "/";
    environment["DENO_DIR"] = denoDirectory(env, Deno.build.os);
  }
  return {
    scope,
    owner: ownerOf(context) ?? "this user",
    command,
    environment,
  };
}

/** What lies in a folder of the session is not found by a daemon that has none. */
function requireOwnRunFolder({ home, runDir }: Paths): void {
  if (runDir.startsWith(`${home}/`)) return;
  throw new TaskmuxError(
    "E500",
    `Cannot install a service of the system: "${home}" is too long, or has a comma`,
    { hint: "Set TASKMUX_HOME to a shorter path" },
  );
}

/** The name of the user it works for; null if nothing tells. */
function ownerOf({ user, env }: Context): string | null {
  return user?.name ?? env()["USER"] ?? env()["LOGNAME"] ?? null;
}

/** The Deno on the PATH, by the name that survives its upgrades; else the one that runs this. */
function findDeno(env: Readonly<Record<string, string>>): string {
  const folders = [...foldersOf(env["PATH"]), `${env["HOME"]}/.deno/bin`];
  return folders.map((folder) => `${folder}/deno`).find(isFile) ??
    Deno.execPath();
}

/** The PATH of the shell that asks, with Deno and the user's own programs on it. */
function searchPath(
  env: Readonly<Record<string, string>>,
  deno: string,
): string {
  const own = USER_PROGRAMS.map((folder) => `${env["HOME"]}/${folder}`)
    .filter(isFolder);
  const denoFolder = deno.slice(0, deno.lastIndexOf("/"));
  const usual = ["/usr/local/bin", "/usr/bin", "/bin"];
  const all = [...foldersOf(env["PATH"]), denoFolder, ...own, ...usual];
  return [...new Set(all)].join(":");
}

function foldersOf(path: string | undefined): string[] {
  return (path ?? "").split(":").filter((folder) => folder.startsWith("/"));
}

/** Whether the user's services run without a session; null where that is no question. */
async function hasLinger(
  { platform, scope }: UnitFile,
  context: Context,
): Promise<boolean | null> {
  const owner = ownerOf(context);
  if (platform !== "linux" || scope !== "user" || owner === null) return null;
  try {
    await Deno.lstat(`/var/lib/systemd/linger/${owner}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isFile(path: string): boolean {
  return statOrNull(path)?.isFile ?? false;
}

function isFolder(path: string): boolean {
  return statOrNull(path)?.isDirectory ?? false;
}

function statOrNull(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    // Not there, or in a folder that is closed to us, or below a file.
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}
