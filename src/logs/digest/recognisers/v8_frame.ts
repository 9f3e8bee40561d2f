/**
 * Frames as V8 and JavaScriptCore print them: Node, Deno, Bun, and everything that runs on them.
 *
 * @module
 */

import { numberOf, type RawFrame } from "../error_block.ts";

/** Any frame, also one without a place. Frames of the JVM have no space before their parenthesis. */
const FRAME =
  /^\s+at (?:async )?(?:\S.* \(.*\)|<anonymous>|native|(?:file:|node:|ext:|https?:|\.{0,2}\/|[\w@<-])\S*:\d+(?::\d+)?)(?: \{)?,?$/;

const MAX_FRAME_LENGTH = 1000;

const PLACE = /^\s+at (?:async )?(?:(.+?) \()?(.+?):(\d+):(\d+)\)?(?: \{)?,?$/;

/** Names that stand for having none. */
const NAMELESS = /^(?:Object\.)?<anonymous>$|^(?:eval|module code)$/;

/** Whether a line is a frame. */
export function isV8Frame(text: string): boolean {
  return text.length <= MAX_FRAME_LENGTH && text.includes("at ") &&
    FRAME.test(text);
}

/** The frames of an error in their order, innermost first. */
export function v8Frames(lines: readonly string[]): RawFrame[] {
  const frames: RawFrame[] = [];
  for (const [at, text] of lines.entries()) {
    if (!isV8Frame(text)) continue;
    const match = PLACE.exec(text);
    if (match === null) continue;
    const [, name, file = "", line, column] = match;
    frames.push({
      file,
      line: numberOf(line),
      column: numberOf(column),
      function: functionName(name),
      at,
    });
  }
  return frames;
}

function functionName(name: string | undefined): string | null {
  if (name === undefined) return null;
  const plain = name.replace(/ \[as [^\]]*\]$/, "").replace(/^new /, "");
  return NAMELESS.test(plain) ? null : plain;
}
