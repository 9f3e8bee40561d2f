/**
 * Reads answers of HTTP/1.1 from a wire as they stand there.
 *
 * @module
 */

import type { Wire } from "./wire.ts";

/** An answer, nothing decoded but its chunks. */
export interface RawAnswer {
  /** The first line. */
  readonly line: string;
  /** As they came: `Name: value`. */
  readonly fields: readonly string[];
  /** Characters are bytes. */
  readonly body: string;
  /** Trailer fields, as they came. */
  readonly trailers: readonly string[];
}

/** Reads one answer. @param method Of its request: the answer to HEAD has no body. */
export async function readAnswer(
  wire: Wire,
  method: string = "GET",
): Promise<RawAnswer> {
  const [line = "", ...fields] = (await wire.readHead()).trimEnd().split(
    "\r\n",
  );
  const answer = { line, fields, body: "", trailers: [] };
  if (method === "HEAD" || / (1\d\d|204|304) /.test(`${line} `)) return answer;
  if (fieldOf(fields, "transfer-encoding") === "chunked") {
    return { ...answer, ...await readChunks(wire) };
  }
  const length = fieldOf(fields, "content-length");
  if (length === null) return { ...answer, body: await wire.readAll() };
  return { ...answer, body: await readText(wire, Number(length)) };
}

/** The value of a field, values of several joined with a bar; null if there is none. */
export function fieldOf(
  fields: readonly string[],
  name: string,
): string | null {
  const start = `${name}:`;
  const found = fields.filter((field) => field.toLowerCase().startsWith(start));
  return found.length === 0
    ? null
    : found.map((field) => field.slice(start.length).trim()).join("|");
}

/** The next chunk of a body; empty at its end. */
export async function readChunk(wire: Wire): Promise<string> {
  const size = parseInt(await readLine(wire), 16);
  if (size === 0) return "";
  const text = await readText(wire, size);
  await readLine(wire);
  return text;
}

async function readChunks(
  wire: Wire,
): Promise<{ readonly body: string; readonly trailers: readonly string[] }> {
  let body = "";
  for (let text = await readChunk(wire); text !== "";) {
    body += text;
    text = await readChunk(wire);
  }
  const trailers: string[] = [];
  for (let line = await readLine(wire); line !== "";) {
    trailers.push(line);
    line = await readLine(wire);
  }
  return { body, trailers };
}

async function readLine(wire: Wire): Promise<string> {
  let line = "";
  while (!line.endsWith("\r\n")) {
    const text = await readText(wire, 1);
    if (text === "") throw new Error(`the connection ended after "${line}"`);
    line += text;
  }
  return line.slice(0, -2);
}

async function readText(wire: Wire, count: number): Promise<string> {
  const bytes = count === 0 ? null : await wire.read(count);
  return new TextDecoder("latin1").decode(bytes ?? new Uint8Array());
}
