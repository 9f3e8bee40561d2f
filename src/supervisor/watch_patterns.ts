/**
 * Which files a task's `watch` globs mean, and which folders can hold them.
 *
 * Pure path arithmetic; nothing is looked up. As in a shell, `*` and `**` do not match names that begin with a dot.
 *
 * @module
 */

import { basename, dirname, matchesGlob, resolve } from "node:path";

/** Folders that are never entered unless a pattern names them. */
const IGNORED_FOLDERS: ReadonlySet<string> = new Set([
  ".git",
  ".hg",
  ".svn",
  ".taskmux",
  "__pycache__",
  "node_modules",
  "target",
]);

/** What editors and systems leave beside a file while it is edited. */
const IGNORED_FILES = ["*.swp", "*.swx", "*~", ".#*", "4913", ".DS_Store"];

/** The globs of one task. */
export interface WatchGlobs {
  /** Absolute folder that relative globs start from. */
  readonly root: string;
  /** A name without a wildcard means the file, or the folder with all in it. */
  readonly patterns: readonly string[];
  /** A glob without a slash applies to the name of every file and folder, one with a slash to paths from the root. */
  readonly ignore: readonly string[];
}

/** Globs ready to be matched. All paths are absolute. */
export interface WatchPatterns {
  /** The folders to begin looking in; they may not exist. */
  readonly starts: readonly string[];
  /** Whether a file is meant. */
  matchesFile(path: string): boolean;
  /** Whether a folder must be looked into, because a file that is meant is in it or beneath it, or may come to be. */
  entersFolder(path: string): boolean;
  /** Whether a pattern names the folder, or a path through it, literally. */
  namesFolder(path: string): boolean;
}

/** One glob: a literal folder or file, and what is beneath it. */
interface Pattern {
  readonly base: string;
  /** Null = the base itself and everything beneath it. */
  readonly glob: string | null;
}

/** Prepares globs. */
export function compileWatchPatterns(globs: WatchGlobs): WatchPatterns {
  const { root } = globs;
  const patterns = globs.patterns.map((text) => parsePattern(root, text));
  const isIgnored = ignoreRule(root, globs.ignore);
  return {
    starts: [...new Set(patterns.map(({ base }) => startOf(root, base)))],
    matchesFile: (path) =>
      patterns.some((pattern) => {
        const rest = restAfter(pattern.base, path);
        if (rest === null || isIgnored(path, rest)) return false;
        if (pattern.glob === null) return true;
        return rest !== "" && matchesGlob(rest, pattern.glob);
      }),
    entersFolder: (path) =>
      patterns.some((pattern) => {
        if (leadsTo(path, pattern)) return true;
        const rest = restAfter(pattern.base, path);
        if (rest === null || isIgnored(path, rest)) return false;
        return pattern.glob === null || mayLeadTo(rest, pattern.glob);
      }),
    namesFolder: (path) => patterns.some((pattern) => leadsTo(path, pattern)),
  };
}

function parsePattern(root: string, text: string): Pattern {
  const segments = text.split("/");
  const dynamic = segments.findIndex(isDynamic);
  if (dynamic === -1) return { base: resolve(root, text), glob: null };
  return {
    base: resolve(root, segments.slice(0, dynamic).join("/") || rootOf(text)),
    glob: segments.slice(dynamic).filter((segment) => segment !== "").join("/"),
  };
}

function rootOf(text: string): string {
  return text.startsWith("/") ? "/" : ".";
}

function isDynamic(segment: string): boolean {
  return /[*?[{]|[!+@]\(/.test(segment);
}

/** Above a base, so that it is noticed when the base itself is replaced. */
function startOf(root: string, base: string): string {
  return restAfter(root, base) === null ? dirname(base) : root;
}

/** Whether a folder is a pattern's base or above it. */
function leadsTo(path: string, { base }: Pattern): boolean {
  return restAfter(path, base) !== null;
}

/** The path of `path` from `folder`: empty if they are the same, null if it is not beneath. */
function restAfter(folder: string, path: string): string | null {
  if (path === folder) return "";
  const prefix = folder === "/" ? "/" : `${folder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : null;
}

/** Whether something beneath a folder can match a glob. May say yes wrongly, never no. */
function mayLeadTo(folder: string, glob: string): boolean {
  if (folder === "") return true;
  const wanted = glob.split("/");
  for (const [index, name] of folder.split("/").entries()) {
    const segment = wanted[index];
    if (segment === undefined || index === wanted.length - 1) {
      return segment === "**" || hasOpenBrace(segment ?? "");
    }
    // Alternatives with slashes in them are not worth taking apart.
    if (segment === "**" || hasOpenBrace(segment)) return true;
    if (!matchesGlob(name, segment)) return false;
  }
  return true;
}

function hasOpenBrace(segment: string): boolean {
  return /[{(][^})]*$/.test(segment);
}

/** `rest` is the part of the path that no pattern names literally; only that is subject to the built-in rules. */
function ignoreRule(
  root: string,
  ignore: readonly string[],
): (path: string, rest: string) => boolean {
  const globs = ignore.map((glob) =>
    glob.replace(/^\.\//, "").replace(/\/(?:\*\*)?$/, "")
  );
  const names = globs.filter((glob) => !glob.includes("/"));
  const paths = globs.filter((glob) => glob.includes("/"));
  return (path, rest) => {
    const unnamed = rest === "" ? [] : rest.split("/");
    if (unnamed.some((name) => IGNORED_FOLDERS.has(name))) return true;
    if (unnamed.length > 0 && matchesAny(basename(path), IGNORED_FILES)) {
      return true;
    }
    const fromRoot = restAfter(root, path) ?? path.slice(1);
    if (fromRoot.split("/").some((name) => matchesAny(name, names))) {
      return true;
    }
    return paths.length > 0 && selfAndParents(path).some((part) => {
      const relative = restAfter(root, part);
      return matchesAny(part, paths) ||
        (relative !== null && matchesAny(relative, paths));
    });
  };
}

function matchesAny(text: string, globs: readonly string[]): boolean {
  return globs.some((glob) => matchesGlob(text, glob));
}

function selfAndParents(path: string): string[] {
  const parts = [path];
  for (let at = path; dirname(at) !== at; at = dirname(at)) {
    parts.push(dirname(at));
  }
  return parts;
}
