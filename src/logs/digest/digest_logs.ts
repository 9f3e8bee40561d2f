/**
 * The digest of log files: which part of them is read, and how.
 *
 * @module
 */

import type { RecordRedactor } from "../../domain/record_redactor.ts";
import type { LineRedactor } from "../../domain/redactor.ts";
import { hasControls } from "../../domain/visible_text.ts";
import { systemClock } from "../../kit/clock.ts";
import { inLaterTurn } from "../../kit/turn.ts";
import { decodeCursor, encodeCursor } from "../log_cursor.ts";
import { TIMESTAMP_LENGTH, timestampAt, timestampText } from "../log_line.ts";
import type { LogPosition } from "../log_position.ts";
import type { LogSource } from "../log_query.ts";
import type { SearchProgress } from "../log_stream.ts";
import { seekSince, seekUntil } from "../log_seek.ts";
import { type Chunk, LogView } from "../log_view.ts";
import { plainText } from "../plain_text.ts";
import { ErrorCollector } from "./mod.ts";
import type { ErrorDigest, ErrorGroup } from "./error_group.ts";
import type { TaskErrors } from "./task_errors.ts";

/** How much is read where the question names no beginning, all tasks together: a few seconds of work. */
export const DEFAULT_SCAN_BYTES = 64 * 1024 * 1024;

/** Bytes after which others have their turn, at most: a millisecond where nothing is an error. */
const PART_BYTES = 32 * 1024;

/** The same where everything is one. */
const MIN_PART_BYTES = 2 * 1024;

/** Longest turn that is aimed at. */
const TURN_MS = 2;

/** An error whose last line is younger may not be printed to its end. */
const SETTLED_MS = 1_000;

const NEWLINE = 10;

/** Control characters other than tab and newline. */
// deno-lint-ignore no-control-regex -- they are what is looked for
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g;

/** A log and where its task runs. */
export interface DigestSource extends LogSource {
  /** Absolute. Relative paths in the output count from here. */
  readonly folder: string;
}

/** What is asked. */
export interface DigestQuery {
  readonly sources: readonly DigestSource[];
  /** Absolute path of the project's folder. */
  readonly root: string;
  /** Wall time in milliseconds, inclusive; null = no bound. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Where an earlier answer ended. A task it does not name is read from its beginning. */
  readonly cursor: string | null;
  /** Most bytes to read, the newest ones of all logs together. Small logs leave their share to large ones. */
  readonly maxBytes: number;
  /** Wall time in milliseconds. */
  readonly nowMs: number;
  /** Takes secrets out, before a text is cut in the middle of one; null = they are shown. */
  readonly secrets: RecordRedactor | null;
  readonly signal?: AbortSignal | undefined;
  /** Told after each piece how much of what is to be read has been, in bytes. */
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined;
}

/** What was read. */
export interface Scanned {
  readonly lines: number;
  readonly bytes: number;
  /** Bytes of the range that were not read because of `maxBytes`: the oldest ones. */
  readonly skippedBytes: number;
  /** Time of the oldest line that was read; null if there was none with a time. */
  readonly since: string | null;
}

/** The errors of some logs. */
export interface LogDigest extends ErrorDigest {
  /**
   * Leads to what comes after this answer. An error that was still being printed is in this answer as far as it went,
   * and whole in the next one.
   */
  readonly cursor: string;
  /** Bytes after the given cursor that rotation took away. */
  readonly dropped: number;
  readonly scanned: Scanned;
}

/** One log with the part of it that is meant. */
interface Part {
  readonly source: DigestSource;
  readonly view: LogView;
  readonly position: LogPosition | undefined;
  readonly dropped: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Reads logs for their errors; gives way to others every few milliseconds. About 30 MB/s; memory holds a block of at
 * most 1 MiB and the groups.
 *
 * @param options With `wholly` nothing is read, and the cursor stays, if the range is longer than `maxBytes`.
 * @throws {TaskmuxError} E500 if the cursor is not one.
 * @throws The reason of the signal when it aborts.
 */
export async function digestLogs(
  query: DigestQuery,
  { wholly = false }: { readonly wholly?: boolean } = {},
): Promise<LogDigest> {
  using opened = new DisposableStack();
  const parts = await openParts(query, opened);
  const bytes = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  if (wholly && bytes > query.maxBytes) return unread(parts, bytes);
  const limits = shares(parts, query.maxBytes);
  const folders = new Map(
    query.sources.map(({ task, folder }) => [task, folder]),
  );
  const collector = new ErrorCollector({ root: query.root, folders });
  const positions = new Map<string, LogPosition>();
  const scanned = {
    lines: 0,
    bytes: 0,
    skippedBytes: 0,
    since: null as string | null,
  };
  const totalBytes = limits.reduce((sum, limit) => sum + limit, 0);
  let readBytes = 0;
  for (const [index, part] of parts.entries()) {
    const start = await startOf(part, limits[index] ?? 0);
    scanned.skippedBytes += start - part.from;
    scanned.bytes += part.to - start;
    const errors = collector.task(part.source.task);
    const { lines, since } = await scan(part, {
      start,
      errors,
      secrets: query.secrets?.of(part.source.task) ?? null,
      signal: query.signal,
      onRead: (bytes) => {
        readBytes += bytes;
        query.onProgress?.({ readBytes, totalBytes });
      },
    });
    scanned.lines += lines;
    if (since !== null && (scanned.since === null || since < scanned.since)) {
      scanned.since = since;
    }
    positions.set(
      part.source.task,
      await positionAfter(part, errors, query.nowMs),
    );
  }
  const { groups, omittedGroups } = collector.finish();
  return {
    groups: groups.map(zoned),
    omittedGroups,
    cursor: encodeCursor(positions),
    dropped: parts.reduce((sum, part) => sum + part.dropped, 0),
    scanned: { ...scanned, since: withZone(scanned.since) },
  };
}

/** The answer that nothing was read. */
function unread(parts: readonly Part[], bytes: number): LogDigest {
  return {
    groups: [],
    omittedGroups: 0,
    cursor: encodeCursor(
      new Map(parts.map(({ source, view, position, from }) => [
        source.task,
        position !== undefined && view.hasNoFile
          ? position
          : view.position(from),
      ])),
    ),
    dropped: parts.reduce((sum, part) => sum + part.dropped, 0),
    scanned: { lines: 0, bytes: 0, skippedBytes: bytes, since: null },
  };
}

async function openParts(
  query: DigestQuery,
  opened: DisposableStack,
): Promise<Part[]> {
  const { sinceMs, untilMs, cursor, signal } = query;
  const positions = cursor === null ? null : decodeCursor(cursor);
  const since = sinceMs === null ? null : timestampText(sinceMs);
  const until = untilMs === null ? null : timestampText(untilMs);
  const parts: Part[] = [];
  for (const source of query.sources) {
    signal?.throwIfAborted();
    const view = opened.use(LogView.open(source.path));
    const position = positions?.get(source.task);
    const place = position === undefined
      ? { at: 0, dropped: 0 }
      : view.locate(position);
    const from = since === null ? place.at : Math.max(
      place.at,
      await seekSince(view, since, signal),
    );
    const to = until === null ? view.end : Math.max(
      from,
      await seekUntil(view, until, signal),
    );
    parts.push({ source, view, position, dropped: place.dropped, from, to });
  }
  return parts;
}

/** How much of each part is read, the smallest first having all that they want of an equal share. */
function shares(parts: readonly Part[], maxBytes: number): number[] {
  const lengths = parts.map(({ from, to }) => to - from);
  const limits = lengths.map(() => 0);
  let left = maxBytes;
  const bySize = [...lengths.keys()].sort((a, b) => lengths[a]! - lengths[b]!);
  for (const [done, index] of bySize.entries()) {
    const share = Math.floor(left / (bySize.length - done));
    limits[index] = Math.min(lengths[index]!, share);
    left -= limits[index]!;
  }
  return limits;
}

/** The start of the first line that lies in the last `limit` bytes of a part. */
async function startOf(
  { view, from, to }: Part,
  limit: number,
): Promise<number> {
  if (to - from <= limit) return from;
  if (limit === 0) return to;
  const first = to - limit;
  for await (const { at, bytes } of view.forward(first, to)) {
    const newline = bytes.indexOf(NEWLINE);
    if (newline !== -1) return at + newline + 1;
  }
  return to;
}

/** How far a scan is. */
interface ScanState {
  /** The time that holds for a line without one. */
  ts: string;
  lines: number;
  /** The time of the first line. */
  since: string | null;
}

async function scan(
  { view, to }: Part,
  { start, errors, secrets, signal, onRead }: {
    readonly start: number;
    readonly errors: TaskErrors;
    readonly secrets: LineRedactor | null;
    readonly signal: AbortSignal | undefined;
    readonly onRead: (bytes: number) => void;
  },
): Promise<{ readonly lines: number; readonly since: string | null }> {
  if (start >= to) return { lines: 0, since: null };
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const state: ScanState = {
    ts: await view.timeBefore(start) ?? "",
    lines: 0,
    since: null,
  };
  let partBytes = PART_BYTES;
  for await (const chunk of view.forward(start, to)) {
    for (const bytes of piecesOf(chunk, () => partBytes)) {
      signal?.throwIfAborted();
      const began = systemClock.monotonic();
      const text = readable(decoder.decode(bytes));
      // Most pieces hold nothing that could be a secret, which is seen at once.
      const own = secrets?.areHarmless(text) === true ? null : secrets;
      pushLines(text, (ts, line) => {
        errors.push(ts, own?.line(line) ?? line);
      }, state);
      partBytes = nextPartBytes(partBytes, systemClock.monotonic() - began);
      onRead(bytes.length);
      await new Promise<void>(inLaterTurn);
    }
  }
  return state;
}

/** What errors cost differs by a hundred times, so the length of a turn is measured. */
function nextPartBytes(partBytes: number, ms: number): number {
  if (ms > TURN_MS) return Math.max(partBytes / 2, MIN_PART_BYTES);
  return ms < TURN_MS / 2 ? Math.min(partBytes * 2, PART_BYTES) : partBytes;
}

/** Text without anything that is meant for a terminal. Lines stay lines. */
function readable(text: string): string {
  const plain = plainText(text);
  return hasControls(plain) ? plain.replace(CONTROLS, "") : plain;
}

function pushLines(
  text: string,
  push: (ts: string, text: string) => void,
  state: ScanState,
): void {
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline;
    const ts = timestampAt(text, at);
    if (ts !== null) state.ts = ts;
    if (state.ts !== "") state.since ??= state.ts;
    const start = ts === null ? at : Math.min(end, at + TIMESTAMP_LENGTH + 1);
    push(state.ts, text.slice(start, end));
    state.lines++;
    at = end + 1;
  }
}

/** A chunk in pieces of whole lines, as far as lines are not longer than a piece. */
function* piecesOf(
  { bytes }: Chunk,
  partBytes: () => number,
): Generator<Uint8Array, void, void> {
  for (let start = 0; start < bytes.length;) {
    let end = Math.min(start + partBytes(), bytes.length);
    if (end < bytes.length) {
      const newline = bytes.lastIndexOf(NEWLINE, end - 1);
      const next = newline >= start ? newline : bytes.indexOf(NEWLINE, end);
      end = next === -1 ? bytes.length : next + 1;
    }
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function positionAfter(
  { view, position, from, to }: Part,
  errors: TaskErrors,
  nowMs: number,
): Promise<LogPosition> {
  // Between two files, or after all were deleted: the position still tells what was read.
  if (view.hasNoFile && position !== undefined) return position;
  const unsettled = to < view.end
    ? 0
    : errors.unsettledLines(timestampText(nowMs - SETTLED_MS));
  if (unsettled === 0) return view.position(to);
  return view.position(Math.max(from, await lineBack(view, to, unsettled)));
}

/** Where the line starts that is the `count`-th from the end of a range. */
async function lineBack(
  view: LogView,
  to: number,
  count: number,
): Promise<number> {
  let left = count;
  for await (const { at, bytes } of view.backward(0, to)) {
    // The newline at the end of a chunk ends its last line.
    let end = bytes.length - 1;
    while (left > 0) {
      const newline = end <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1);
      left--;
      if (left === 0) return at + newline + 1;
      if (newline === -1) break;
      end = newline;
    }
  }
  return 0;
}

function zoned(group: ErrorGroup): ErrorGroup {
  return {
    ...group,
    first: withZone(group.first) ?? "",
    last: withZone(group.last) ?? "",
  };
}

function withZone<T extends string | null>(time: T): string | T {
  return time === null || time === "" ? time : `${time}Z`;
}
