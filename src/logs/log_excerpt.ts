/**
 * Matching lines of one log with the lines around them.
 *
 * @module
 */

import { textStart } from "./log_line.ts";
import type { LogMatcher } from "./log_matcher.ts";
import { type FoundLine, scanBackward, scanForward } from "./log_scan.ts";
import type { LogView } from "./log_view.ts";
import { MAX_CONTINUATION_LINES } from "./continuation.ts";
import { plainText } from "./plain_text.ts";

/** Lines that may still come after a match. */
export interface Pending {
  /** Most lines that continue it; 0 = one has come that does not. */
  readonly continuation: number;
  /** Lines of context. */
  readonly context: number;
}

/** Nothing comes any more. */
export const NOTHING_PENDING: Pending = { continuation: 0, context: 0 };

/** A line that matches, with the lines around it that belong to no other one. */
export interface Group {
  readonly before: readonly FoundLine[];
  readonly match: FoundLine;
  readonly after: readonly FoundLine[];
  /** What could still come if the log went on. */
  readonly pending: Pending;
  /** Lines lie between it and what was told before, and context was asked for. */
  readonly isApart: boolean;
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
  const maker = new GroupMaker(view, excerpt);
  const to = next ?? excerpt.to;
  return { groups: await maker.groups(lines, to), hasMore: next !== null };
}

/** All lines of a group in the order of the file. */
export function linesOfGroup(group: Group): FoundLine[] {
  return [...group.before, group.match, ...group.after];
}

/** Where a group ends, its context included. */
export function endOfGroup(group: Group): number {
  return (group.after.at(-1) ?? group.match).end;
}

/** Puts the lines around matches that come one after another. Leaves blocks of the view valid. */
export class GroupMaker {
  readonly #view: LogView;
  readonly #excerpt: Excerpt;
  readonly #pending: Pending;
  /** Told up to here. */
  #taken: number;

  constructor(view: LogView, excerpt: Excerpt) {
    this.#view = view.aside();
    this.#excerpt = excerpt;
    this.#taken = excerpt.contextFrom;
    this.#pending = pendingOf(excerpt);
  }

  /** Whether nothing is ever shown around a match. */
  get #areAlone(): boolean {
    const { context, matcher } = this.#excerpt;
    return matcher === null || (context === 0 && matcher.continues === null);
  }

  /** The groups of matches in order. No other match lies between two of them, or between the last one and `to`. */
  async groups(matches: readonly FoundLine[], to: number): Promise<Group[]> {
    if (this.#areAlone) return matches.map(alone);
    const groups: Group[] = [];
    for (const [index, match] of matches.entries()) {
      groups.push(
        await this.#group(match, matches[index + 1]?.start ?? to, false),
      );
    }
    return groups;
  }

  /** As {@linkcode groups}; but after the last match there may be more, and only the log's range ends. */
  async openGroups(matches: readonly FoundLine[]): Promise<Group[]> {
    if (this.#areAlone) return matches.map(alone);
    const { to } = this.#excerpt;
    const all = await this.groups(matches.slice(0, -1), matches.at(-1)!.start);
    all.push(await this.#group(matches.at(-1)!, to, true));
    return all;
  }

  async #group(
    match: FoundLine,
    to: number,
    stopsAtMatch: boolean,
  ): Promise<Group> {
    const { context, matcher, signal } = this.#excerpt;
    if (matcher === null) return alone(match);
    const before = context === 0 ? [] : await scanBackward(this.#view, {
      from: this.#taken,
      to: match.start,
      matcher: null,
      limit: context,
      signal,
    });
    const { lines: after, pending } = await linesAfter(this.#view, {
      from: match.end,
      to,
      matcher,
      stopsAtMatch,
      pending: this.#pending,
      signal,
    });
    const isApart = context > 0 &&
      (before[0] ?? match).start !== this.#taken;
    this.#taken = after.at(-1)?.end ?? match.end;
    return { before, match, after, pending, isApart };
  }
}

const NO_LINES: readonly FoundLine[] = [];

/** A line to which nothing else belongs. */
function alone(match: FoundLine): Group {
  return {
    before: NO_LINES,
    match,
    after: NO_LINES,
    pending: NOTHING_PENDING,
    isApart: false,
  };
}

/** What may come after each match. */
export function pendingOf(
  { matcher, context }: Pick<Excerpt, "matcher" | "context">,
): Pending {
  if (matcher === null) return NOTHING_PENDING;
  const continuation = matcher.continues === null ? 0 : MAX_CONTINUATION_LINES;
  return { continuation, context };
}

/** Where lines after a match are looked for. */
interface After {
  readonly from: number;
  readonly to: number;
  readonly matcher: LogMatcher;
  /** Whether matches may lie in the range; they end it. */
  readonly stopsAtMatch: boolean;
  readonly pending: Pending;
  readonly signal?: AbortSignal | undefined;
}

/** The lines after a match that belong to it: first what continues it, then its context. */
export async function linesAfter(
  view: LogView,
  { from, to, matcher, stopsAtMatch, pending, signal }: After,
): Promise<{ lines: FoundLine[]; pending: Pending }> {
  const lines: FoundLine[] = [];
  let { continuation, context } = pending;
  for (let at = from; at < to && continuation + context > 0;) {
    const { lines: next } = await scanForward(view, {
      from: at,
      to,
      matcher: null,
      limit: continuation > 0 ? FEW_LINES : context,
      firstBlockBytes: continuation > 0 ? FEW_BYTES : undefined,
      signal,
    });
    if (next.length === 0) break;
    const matchAt = stopsAtMatch ? firstMatch(next, matcher) : next.length;
    for (const line of next.slice(0, matchAt)) {
      const continues = continuation > 0 &&
        matcher.continues?.(textOf(line)) === true;
      if (continues) continuation--;
      else {
        if (context === 0) return { lines, pending: NOTHING_PENDING };
        continuation = 0;
        context--;
      }
      lines.push(line);
      at = line.end;
    }
    if (matchAt < next.length) return { lines, pending: NOTHING_PENDING };
  }
  return { lines, pending: { continuation, context } };
}

/** Lines that are looked at first, where most matches have none that continues them. */
const FEW_LINES = 8;

const FEW_BYTES = 2048;

function firstMatch(lines: readonly FoundLine[], matcher: LogMatcher): number {
  const index = matcher.bounded(() =>
    lines.findIndex((line) => matcher.test(textOf(line)))
  );
  return index === -1 ? lines.length : index;
}

/** What a matcher sees. */
function textOf({ line }: FoundLine): string {
  return plainText(line.slice(textStart(line, 0)));
}
