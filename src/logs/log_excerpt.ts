/**
 * Matching lines of one log with the lines around them.
 *
 * @module
 */

import type { LogMatcher } from "./log_matcher.ts";
import type { LogView } from "./log_view.ts";
import { type FoundLine, scanBackward, scanForward } from "./log_scan.ts";

/** A line that matches, with the lines around it that belong to no other one. */
export interface Group {
  readonly before: readonly FoundLine[];
  readonly match: FoundLine;
  readonly after: readonly FoundLine[];
}

/** What is looked for, and where. */
export interface Excerpt {
  /** Offset at which the search starts. */
  readonly from: number;
  readonly to: number;
  /** Lines before this offset are no context either. At most `from`. */
  readonly contextFrom: number;
  readonly matcher: LogMatcher | null;
  /** Lines around a match. */
  readonly context: number;
  /** Most matches. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** The first matches of a range. */
export interface FirstGroups {
  readonly groups: Group[];
  /** Whether the limit left matches out. */
  readonly hasMore: boolean;
}

/** The first matches of a range, in order. */
export async function firstGroups(
  view: LogView,
  excerpt: Excerpt,
): Promise<FirstGroups> {
  const { lines, next } = await scanForward(view, excerpt);
  const to = next ?? excerpt.to;
  return {
    groups: await withContext(view, lines, { ...excerpt, to }),
    hasMore: next !== null,
  };
}

/** The last matches of a range, in order. */
export async function lastGroups(
  view: LogView,
  excerpt: Excerpt,
): Promise<Group[]> {
  return await withContext(view, await scanBackward(view, excerpt), excerpt);
}

/** All lines of a group in the order of the file. */
export function linesOfGroup(group: Group): FoundLine[] {
  return [...group.before, group.match, ...group.after];
}

/** Where a group ends, its context included. */
export function endOfGroup(group: Group): number {
  return (group.after.at(-1) ?? group.match).end;
}

async function withContext(
  view: LogView,
  matches: readonly FoundLine[],
  excerpt: Excerpt,
): Promise<Group[]> {
  const { context: limit, signal } = excerpt;
  if (limit === 0 || excerpt.matcher === null) {
    return matches.map((match) => ({ before: [], match, after: [] }));
  }
  const groups: Group[] = [];
  let taken = excerpt.contextFrom;
  for (const [index, match] of matches.entries()) {
    const before = await scanBackward(view, {
      from: taken,
      to: match.start,
      matcher: null,
      limit,
      signal,
    });
    const { lines: after } = await scanForward(view, {
      from: match.end,
      to: matches[index + 1]?.start ?? excerpt.to,
      matcher: null,
      limit,
      signal,
    });
    taken = after.at(-1)?.end ?? match.end;
    groups.push({ before, match, after });
  }
  return groups;
}
