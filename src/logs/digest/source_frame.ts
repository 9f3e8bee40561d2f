/**
 * Which frame of a stack is the project's own.
 *
 * @module
 */

import type { RawFrame } from "./error_block.ts";
import type { SourceFrame } from "./error_group.ts";

/** Where paths count from. */
export interface Places {
  /** Absolute folder of the project, without a slash at the end. */
  readonly root: string;
  /** Absolute folder in which the task runs. */
  readonly folder: string;
}

/** A frame of the project. */
export interface OwnFrame {
  readonly frame: SourceFrame;
  /** Index of its line in the block. */
  readonly at: number;
}

/** Folders inside a project that hold what others wrote. */
const FOREIGN_FOLDER =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor|\.venv|venv|\.tox|\.cargo|\.rustup|\.yarn|\.pnp[^/]*|\.deno|gems|\.bundle)\//;

/** Folders inside a project that hold what was made from its source. A place in the source is preferred. */
const BUILT_FOLDER = /(?:^|\/)(?:dist|build|out|target|\.next|\.nuxt|\.vite)\//;

/** What is no file of anybody. */
const NO_FILE =
  /^(?:node:|ext:|internal\/|native|jsr:|npm:|https?:|data:|blob:|<|\[|\(|evalmachine|cdn:|about:|bun:)/;

/** Roots of standard libraries that tools print as relative or odd paths. */
const STANDARD =
  /^(?:\/rustc\/|\/usr\/(?:lib|local\/lib|local\/go|share)\/|\/opt\/|library\/(?:std|core|alloc)\/)/;

/**
 * The first frame inside the project that is not a dependency; one in built code only if there is none in the source.
 */
export function ownFrame(
  frames: readonly RawFrame[],
  places: Places,
): OwnFrame | null {
  let built: OwnFrame | null = null;
  for (const raw of frames) {
    const file = ownFile(raw.file, places);
    if (file === null) continue;
    const { line, column, at } = raw;
    const own: OwnFrame = {
      frame: { file, line, column, function: raw.function },
      at,
    };
    if (!BUILT_FOLDER.test(file)) return own;
    built ??= own;
  }
  return built;
}

/** Which frames are the project's, as a test. */
export function isOwn(frame: RawFrame, places: Places): boolean {
  return ownFile(frame.file, places) !== null;
}

/** The path of a project's file relative to its folder; null if it is not the project's. */
export function ownFile(printed: string, places: Places): string | null {
  const path = plainPath(printed);
  if (path === "" || NO_FILE.test(path)) return null;
  const absolute = resolve(
    path.startsWith("/") ? path : underFolder(path, places),
  );
  const { root } = places;
  if (absolute !== null && absolute.startsWith(`${root}/`)) {
    const file = absolute.slice(root.length + 1);
    return FOREIGN_FOLDER.test(`/${file}`) ? null : file;
  }
  return null;
}

function underFolder(path: string, { folder }: Places): string {
  return `${folder}/${path}`;
}

/** A path without what bundlers and runtimes put around it. */
function plainPath(printed: string): string {
  let path = printed.trim();
  if (path.startsWith("file://")) path = decoded(path.slice(7));
  path = path
    .replace(/^webpack(?:-internal)?:\/\/(?:\/|[^/]*\/)(?:\([\w-]+\)\/)?/, "")
    .replace(/^(?:rsc|about):\/\/\w+\/\w+\//, "")
    .replace(/^turbopack:\/\/(?:\/)?\[project\]\//, "")
    .replace(/^\[project\]\//, "")
    .replace(/[?#].*$/, "");
  if (STANDARD.test(path) && !path.startsWith("/opt/")) return "";
  return path;
}

function decoded(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}

/** An absolute path without `.` and `..`; null if it leads above the root. */
function resolve(path: string): string | null {
  if (!/\/\.{0,2}(?:\/|$)/.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return `/${parts.join("/")}`;
}
