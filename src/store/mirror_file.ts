/**
 * What is found under the name of `events.jsonl`: a mirror of ours, the history of the first taskmux, or neither.
 *
 * @module
 */

import type { TaskEvent } from "../domain/event.ts";
import { asideName, clearObstacle, setAside } from "../kit/set_aside.ts";
import { MAX_STATE_TEXT_BYTES, type StateDamage } from "./state_file.ts";

/** How much of the beginning and of the end is looked at. */
const SAMPLE_BYTES = 256 * 1024;

/** How a line of ours begins. */
const SEQ_REGEXP = /^\{"seq":(\d{1,15}),/;

/** Between the name of a file of the first taskmux and nothing else: it is kept for ever. */
const LEGACY_SUFFIX = ".python";

/**
 * Moves what is no mirror out of the way. The history of the first taskmux is kept for ever as `events.jsonl.python`:
 * a mirror is trimmed.
 *
 * @param now Wall time in milliseconds.
 * @returns Null if the file is a mirror, empty, or not there.
 */
export function claimMirror(path: string, now: number): StateDamage | null {
  const obstacle = clearObstacle(path, now);
  if (obstacle !== null) {
    return {
      file: path,
      aside: obstacle,
      message: `events.jsonl was no file; what it was is now "${obstacle}"`,
    };
  }
  switch (judge(path)) {
    case "ours":
      return null;
    case "legacy": {
      const aside = legacyName(path, now);
      Deno.renameSync(path, aside);
      return {
        file: path,
        aside,
        message: `The events of the Python taskmux are now "${aside}"`,
        isLegacy: true,
      };
    }
    case "damaged": {
      const aside = setAside(path, now);
      return {
        file: path,
        aside,
        message: `events.jsonl was damaged and is now "${aside}"`,
      };
    }
  }
}

/** The events of whole lines with a number above `seq`, in the order of the lines. Reads the whole file. */
export function readMirror(path: string, seq: number): TaskEvent[] {
  const events: TaskEvent[] = [];
  let last = seq;
  for (const line of Deno.readTextFileSync(path).split("\n").slice(0, -1)) {
    const event = toEvent(line);
    if (event === null || event.seq <= last) continue;
    events.push(event);
    last = event.seq;
  }
  return events;
}

/** The number of the last whole event of a piece of text that ends where the file does; 0 if there is none. */
export function lastSeqIn(text: string): number {
  // The piece after the last newline is empty or torn.
  return text.split("\n").slice(0, -1).reduceRight(
    (found, line) => found || Number(SEQ_REGEXP.exec(line)?.[1] ?? 0),
    0,
  );
}

function judge(path: string): "ours" | "legacy" | "damaged" {
  const file = openOrNull(path);
  if (file === null) return "ours";
  using _ = file;
  const { size } = file.statSync();
  if (size === 0) return "ours";
  if (size > MAX_STATE_TEXT_BYTES) return "damaged";
  const head = readAt(file, 0);
  if (isLegacy(head)) return "legacy";
  const tail = size <= SAMPLE_BYTES ? head : readAt(file, size - SAMPLE_BYTES);
  return lastSeqIn(tail) > 0 ? "ours" : "damaged";
}

/** The first taskmux numbered nothing. */
function isLegacy(head: string): boolean {
  const newline = head.indexOf("\n");
  const value = parseObject(newline === -1 ? head : head.slice(0, newline));
  return value !== null && value["seq"] === undefined &&
    typeof value["ts"] === "string" && typeof value["event"] === "string";
}

function toEvent(line: string): TaskEvent | null {
  const value = parseObject(line);
  if (value === null) return null;
  const { seq, ts, event, session, task } = value;
  const isEvent = Number.isSafeInteger(seq) && (seq as number) > 0 &&
    typeof ts === "string" && !Number.isNaN(Date.parse(ts)) &&
    typeof event === "string" &&
    (session === null || typeof session === "string") &&
    (task === undefined || typeof task === "string");
  return isEvent ? value as unknown as TaskEvent : null;
}

function parseObject(line: string): Record<string, unknown> | null {
  if (!line.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(line);
    return value as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function legacyName(path: string, now: number): string {
  const name = `${path}${LEGACY_SUFFIX}`;
  try {
    Deno.lstatSync(name);
    return asideName(name, now);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return name;
    throw error;
  }
}

function openOrNull(path: string): Deno.FsFile | null {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function readAt(file: Deno.FsFile, offset: number): string {
  const bytes = new Uint8Array(SAMPLE_BYTES);
  file.seekSync(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < bytes.length) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, filled));
}
