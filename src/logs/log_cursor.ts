/**
 * The cursor of a reader: one position per task, as a short opaque text.
 *
 * Binary and base64url rather than JSON, because agents carry cursors around and pay for each character.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { hash, type LogPosition } from "./log_position.ts";

const VERSION = 1;

const CHECKSUM_BYTES = 4;

/** The cursor for positions by task. */
export function encodeCursor(
  positions: ReadonlyMap<string, LogPosition>,
): string {
  const bytes: number[] = [VERSION];
  for (const [task, position] of positions) {
    const name = new TextEncoder().encode(task);
    pushNumber(bytes, name.length);
    bytes.push(...name);
    pushNumber(bytes, position.ino);
    pushNumber(bytes, position.offset);
    pushNumber(bytes, position.check);
    pushNumber(bytes, position.previous);
  }
  const body = Uint8Array.from(bytes);
  const whole = new Uint8Array(body.length + CHECKSUM_BYTES);
  whole.set(body);
  new DataView(whole.buffer).setUint32(body.length, hash(body, 0));
  return whole.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The positions of a cursor.
 *
 * @throws {TaskmuxError} E500 if the text is no cursor.
 */
export function decodeCursor(cursor: string): Map<string, LogPosition> {
  const bytes = fromBase64(cursor);
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < 1 || bytes[0] !== VERSION) throw notACursor(cursor);
  const checksum = new DataView(bytes.buffer).getUint32(end);
  if (hash(bytes.subarray(0, end), 0) !== checksum) throw notACursor(cursor);
  const positions = new Map<string, LogPosition>();
  let at = 1;
  const number = () => {
    const [value, next] = readNumber(bytes, at);
    at = next;
    return value;
  };
  while (at < end) {
    const length = number();
    const task = new TextDecoder().decode(bytes.subarray(at, at + length));
    at += length;
    const [ino, offset, check, previous] = [
      number(),
      number(),
      number(),
      number(),
    ];
    // Only a forged one has numbers that none of ours can reach.
    if (![ino, offset, check, previous].every(Number.isSafeInteger)) {
      throw notACursor(cursor);
    }
    positions.set(task, { ino, offset, check, previous });
  }
  return positions;
}

function fromBase64(cursor: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
  } catch (error) {
    if (error instanceof SyntaxError) throw notACursor(cursor);
    throw error;
  }
}

function notACursor(cursor: string): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot read cursor "${
      cursor.length > 60 ? `${cursor.slice(0, 60)}…` : cursor
    }": it is not one that taskmux gave`,
    { hint: "Leave the cursor out to begin anew" },
  );
}

/** Groups of seven bits, lowest first. By division: numbers go to 2^53. */
function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push(rest % 128 + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function readNumber(bytes: Uint8Array, start: number): [number, number] {
  let value = 0;
  let scale = 1;
  for (let at = start;; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte % 128) * scale;
    if (byte < 128) return [value, at + 1];
    scale *= 128;
  }
}
