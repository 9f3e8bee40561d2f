/**
 * What the TypeScript compiler says, in both of its forms, and through Deno.
 *
 * @module
 */

import {
  isBlank,
  isIndented,
  numberOf,
  type RawFrame,
  type Recogniser,
} from "../error_block.ts";

const PLAIN = /^(\S.*?)\((\d+),(\d+)\): error (TS\d+): (.*)$/;
const PRETTY = /^(\S.*?):(\d+):(\d+) - error (TS\d+): (.*)$/;
const BARE = /^error (TS\d+): (.*)$/;

/** `tsc`. */
export const typescriptErrors: Recogniser = {
  opens(text) {
    return text.includes("error TS") && matchOf(text) !== null ? 0 : -1;
  },
  belongs(text, block) {
    if (isBlank(text)) return PRETTY.test(block.lines[0]!);
    return isIndented(text) ||
      (PRETTY.test(block.lines[0]!) && /^\d+(?:\s|$)/.test(text));
  },
  read(lines) {
    const match = matchOf(lines[0]!);
    if (match === null) return null;
    const { frame, code, message } = match;
    return {
      kind: "typescript",
      message: `${code}: ${message}`,
      frames: frame === null ? [] : [frame],
      lines,
      byLine: true,
    };
  },
};

function matchOf(text: string): {
  readonly frame: RawFrame | null;
  readonly code: string;
  readonly message: string;
} | null {
  const match = PLAIN.exec(text) ?? PRETTY.exec(text);
  if (match === null) {
    const [, code, message] = BARE.exec(text) ?? [];
    return code === undefined
      ? null
      : { frame: null, code, message: message ?? "" };
  }
  const [, file = "", line, column, code = "", message = ""] = match;
  return {
    frame: {
      file,
      line: numberOf(line),
      column: numberOf(column),
      function: null,
      at: 0,
    },
    code,
    message,
  };
}

const DENO = /^(TS\d+) \[ERROR\]: (.*)$/;
const DENO_PLACE = /^\s+at (\S+):(\d+):(\d+)$/;

/** `deno check`, and `deno run --check`. */
export const denoCheckErrors: Recogniser = {
  opens(text) {
    return DENO.test(text) ? 0 : -1;
  },
  belongs(text, block) {
    if (block.phase === "end") return false;
    if (DENO_PLACE.test(text)) block.phase = "end";
    return block.phase === "end" || block.lines.length < 12 && !isBlank(text);
  },
  read(lines) {
    const [, code, message] = DENO.exec(lines[0]!) ?? [];
    const at = lines.findLastIndex((line) => DENO_PLACE.test(line));
    const [, file, line, column] = DENO_PLACE.exec(lines[at] ?? "") ?? [];
    return {
      kind: "typescript",
      message: `${code}: ${message}`,
      frames: file === undefined ? [] : [{
        file,
        line: numberOf(line),
        column: numberOf(column),
        function: null,
        at,
      }],
      lines,
      marks: [at],
      byLine: true,
    };
  },
};
