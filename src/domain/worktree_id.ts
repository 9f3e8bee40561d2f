/**
 * The identity of a project: which label its host names, state and events go by.
 *
 * Pure. Reading the repository is the business of `src/worktree`; remembering what was assigned that of the registry.
 *
 * @module
 */

import { fingerprint } from "../kit/fingerprint.ts";

/** Longest label of a host name. */
export const MAX_LABEL_LENGTH = 63;

/** No project is called so: `taskmux.localhost` is kept for taskmux itself. */
export const RESERVED_PROJECT_ID = "taskmux";

const ID_REGEXP = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Digits that keep two cut or equal labels apart. */
const HASH_LENGTH = 6;

/** What is known of the checkout that a project's file is in. */
export interface Checkout {
  /** Whether it was made by `git worktree add`. */
  readonly isLinked: boolean;
  /** Null when no branch is checked out. */
  readonly branch: string | null;
  /** Absolute path of the checkout. */
  readonly path: string;
  /** Abbreviated commit, or null when there is none. */
  readonly head: string | null;
}

/** The rules of a project for its worktrees. */
export interface WorktreeRules {
  readonly enabled: boolean;
  readonly separator: string;
  /** Branches that say nothing about a worktree, so that its folder names it. */
  readonly mainBranches: readonly string[];
}

/** What a project was called when it was first seen. An entry of the registry is one. */
export interface AssignedId {
  readonly id: string;
  /** `name` of the file at that time. */
  readonly name: string;
  /** Null = it was no linked worktree. */
  readonly worktreeId: string | null;
}

/** What a project is called. */
export interface ProjectId {
  readonly projectId: string;
  readonly worktreeId: string | null;
}

/** What an identity is derived from. */
export interface IdentityFacts {
  readonly name: string;
  readonly rules: WorktreeRules;
  /** Null = no repository, `"unknown"` = it could not be asked. */
  readonly checkout: Checkout | "unknown" | null;
  /** What this project is already called, or null. */
  readonly assigned: AssignedId | null;
  /** What all other known projects are called. */
  readonly taken: ReadonlySet<string>;
}

/** Whether a project can be called so. */
export function isProjectId(text: string): boolean {
  return text.length <= MAX_LABEL_LENGTH && ID_REGEXP.test(text);
}

/**
 * What a project is called.
 *
 * Once assigned, an id stays: neither a new branch nor a new sibling changes it. It is derived again only when the
 * project's name changed, or it became or ceased to be a linked worktree. A worktree whose id is taken gets one with
 * its folder's fingerprint; other projects keep theirs. A project outside linked worktrees is always called by its
 * name, taken or not: that conflict is the registry's to report.
 */
export function assignProjectId(facts: IdentityFacts): ProjectId {
  const { name, rules, checkout, assigned, taken } = facts;
  const known = rules.enabled && assigned?.name === name
    ? { projectId: assigned.id, worktreeId: assigned.worktreeId }
    : null;
  if (checkout === "unknown") {
    return known ?? { projectId: name, worktreeId: null };
  }
  const slug = checkout === null || !rules.enabled
    ? null
    : worktreeSlug(checkout, rules.mainBranches);
  if (checkout === null || slug === null) {
    return { projectId: name, worktreeId: null };
  }
  if (known !== null && known.worktreeId !== null) return known;
  const plain = label(`${name}${rules.separator}${slug}`);
  const isFree = !taken.has(plain) && plain !== RESERVED_PROJECT_ID;
  if (isFree) return { projectId: plain, worktreeId: slug };
  const unique = `${slug}-${shortHash(checkout.path)}`;
  return {
    projectId: label(`${name}${rules.separator}${unique}`),
    worktreeId: label(unique),
  };
}

/**
 * The part of the id that names a linked worktree: the last segment of its branch, else its folder, else its commit.
 * Null for any other checkout, or if none of these holds a letter or digit.
 */
export function worktreeSlug(
  checkout: Checkout,
  mainBranches: readonly string[],
): string | null {
  if (!checkout.isLinked) return null;
  const { branch, path, head } = checkout;
  const candidates = [
    branch === null || mainBranches.includes(branch) ? "" : lastSegment(branch),
    lastSegment(path),
    head === null ? "" : `sha-${head}`,
  ];
  for (const candidate of candidates) {
    const found = slug(candidate);
    if (found !== "") return found;
  }
  return null;
}

/** A text as a label of a host name, at most 63 long; longer ones are told apart by a fingerprint. May be empty. */
export function slug(text: string): string {
  const plain = text.toLowerCase().replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return label(plain, text);
}

/** The text itself if it is short enough, else its beginning with the fingerprint of the original. */
function label(text: string, original: string = text): string {
  if (text.length <= MAX_LABEL_LENGTH) return text;
  const kept = text.slice(0, MAX_LABEL_LENGTH - HASH_LENGTH - 1);
  return `${kept.replace(/-+$/, "")}-${shortHash(original)}`;
}

function shortHash(text: string): string {
  return fingerprint(text).slice(-HASH_LENGTH);
}

function lastSegment(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? "";
}
