/**
 * Lines of a log as one text of bounded size.
 *
 * @module
 */

import { utf8Length } from "../kit/utf8_length.ts";

/** Most bytes of a text. */
export const MAX_TEXT_BYTES = 64 * 1024;

/** Most bytes of a line; what is longer is cut, and says so. */
const MAX_LINE_CHARS = 4 * 1024;

/** The last lines that fit; what is left out is told in the first line. */
export function tailText(lines: readonly string[]): string {
  const kept: string[] = [];
  let bytes = 0;
  for (const line of lines.toReversed()) {
    const short = line.length <= MAX_LINE_CHARS
      ? line
      : `${line.slice(0, MAX_LINE_CHARS)}… (${
        line.length - MAX_LINE_CHARS
      } more characters)`;
    bytes += utf8Length(short) + 1;
    if (bytes > MAX_TEXT_BYTES) break;
    kept.push(short);
  }
  const left = lines.length - kept.length;
  const note = left === 0 ? [] : [`(${left} earlier lines left out)`];
  return [...note, ...kept.toReversed()].join("\n");
}
