/**
 * Checks of the state folder: modes, things in the way of files, copies that were set aside, what the first taskmux left.
 *
 * @module
 */

import type { Paths } from "../../config/paths.ts";
import { type CheckAnswer, failed, passed, warned } from "../../kit/checks.ts";
import { ASIDE_MARK, kindOf } from "../../kit/set_aside.ts";
import type { DoctorCheck } from "./world.ts";

/** Bits of a mode that let others in. */
const OTHERS_MODE = 0o077;

/** What the first taskmux keeps and this one does not. */
const LEGACY_NAMES = ["daemon.pid", "tunnels"] as const;

/** The folder and its `run`: there, private, ours. */
export const homeCheck: DoctorCheck = {
  name: "home",
  run: ({ paths, env }) => {
    const { home, runDir } = paths;
    const kind = kindOf(home);
    if (kind === "absent") {
      return Promise.resolve(passed(`${home} is made by the first start`));
    }
    if (kind !== "folder") {
      return Promise.resolve(failed(`${home} is no folder`, `ls -ld ${home}`));
    }
    const answers = [home, runDir].flatMap((folder) =>
      folderAnswer(folder, env["HOME"]) ?? []
    );
    return Promise.resolve(answers.length > 0 ? answers : [passed(home)]);
  },
};

function folderAnswer(
  folder: string,
  userHome: string | undefined,
): CheckAnswer | null {
  const kind = kindOf(folder);
  if (kind === "absent") return null;
  if (kind !== "folder") {
    return failed(`${folder} is no folder`, `rm ${folder}`);
  }
  const { mode, uid } = Deno.statSync(folder);
  const owner = userHome === undefined || kindOf(userHome) !== "folder"
    ? uid
    : Deno.statSync(userHome).uid;
  if (uid !== owner) {
    const fix = `sudo chown -R "$USER" ${folder}`;
    return warned(
      `${folder} belongs to user ${uid}, your home to ${owner}`,
      fix,
    );
  }
  if (((mode ?? 0) & OTHERS_MODE) === 0) return null;
  return warned(`${folder} is open to other users`, `chmod 700 ${folder}`);
}

/** Every file of ours: a file, or a socket, and private. */
export const filesCheck: DoctorCheck = {
  name: "files",
  run: ({ paths, daemon }) => {
    const fix = daemon.kind === "none"
      ? "taskmux daemon start"
      : "taskmux daemon restart";
    const answers = [
      ...filesOf(paths).flatMap((path) => fileAnswer(path, fix) ?? []),
      ...[paths.daemonSocket, paths.keeperSocket].flatMap((path) =>
        socketAnswer(path, fix) ?? []
      ),
    ];
    return Promise.resolve(
      answers.length > 0
        ? answers
        : [passed("private, and what they should be")],
    );
  },
};

function filesOf(paths: Paths): string[] {
  return [
    paths.registry,
    paths.registryLock,
    paths.database,
    paths.eventsMirror,
    paths.daemonLog,
    paths.keeperLog,
    paths.daemonInfo,
    paths.daemonLock,
    paths.keeperLock,
  ];
}

function fileAnswer(path: string, fix: string): CheckAnswer | null {
  const kind = kindOf(path);
  if (kind === "absent" || kind === "device") return null;
  if (kind !== "file") return failed(`${path} is no file but a ${kind}`, fix);
  const { mode } = Deno.statSync(path);
  if (((mode ?? 0) & OTHERS_MODE) === 0) return null;
  return warned(`${path} is open to other users`, `chmod 600 ${path}`);
}

function socketAnswer(path: string, fix: string): CheckAnswer | null {
  const kind = kindOf(path);
  if (kind === "absent") return null;
  if (kind !== "socket") {
    return failed(`${path} is no socket but a ${kind}`, fix);
  }
  const { mode } = Deno.statSync(path);
  if (((mode ?? 0) & OTHERS_MODE) === 0) return null;
  return warned(`${path} is open to other users`, `chmod 600 ${path}`);
}

/** Damaged files that were kept. */
export const asideCheck: DoctorCheck = {
  name: "set_aside",
  run: ({ paths }) => {
    const found = [paths.home, paths.runDir, paths.ca].flatMap((folder) =>
      namesIn(folder).filter((name) => name.includes(ASIDE_MARK))
        .map((name) => `${folder}/${name}`)
    );
    if (found.length === 0) return Promise.resolve(passed("no damaged files"));
    const roots = found.filter((path) => !/-(?:wal|shm|journal)$/.test(path));
    const globs = [...new Set(found.map((path) => path.split(ASIDE_MARK)[0]))]
      .map((path) => `${path}${ASIDE_MARK}*`);
    return Promise.resolve(warned(
      `damaged files were kept: ${roots.map(nameOf).join(", ")}`,
      `rm -r ${globs.join(" ")}`,
    ));
  },
};

/** The Python taskmux uses the same folder. */
export const legacyCheck: DoctorCheck = {
  name: "python_taskmux",
  run: ({ paths, daemon }) => {
    const left = LEGACY_NAMES.filter((name) =>
      kindOf(`${paths.home}/${name}`) !== "absent"
    );
    const projects = namesIn(paths.projects).filter((name) =>
      kindOf(`${paths.projects}/${name}/state.json`) !== "absent"
    );
    const all = [
      ...left,
      ...projects.map((name) => `projects/${name}/state.json`),
    ];
    if (all.length === 0) return Promise.resolve(passed("nothing left of it"));
    const detail = `left by the Python taskmux: ${all.join(", ")}`;
    const isPidThere = left.includes("daemon.pid");
    if (!isPidThere) return Promise.resolve(passed(`${detail}; not touched`));
    // Whether that process lives only the daemon can tell.
    const fix = daemon.kind === "none"
      ? `ps -p "$(cat ${paths.home}/daemon.pid)"`
      : null;
    return Promise.resolve(warned(`${detail}; its daemon may still run`, fix));
  },
};

function namesIn(folder: string): string[] {
  if (kindOf(folder) !== "folder") return [];
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
