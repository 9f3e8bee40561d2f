/**
 * Errors of Ruby, with backtraces of either order, and those that Rails logs.
 *
 * @module
 */

import {
  type ErrorFacts,
  findBack,
  isBlank,
  isIndented,
  numberOf,
  type RawFrame,
  type Recogniser,
} from "../error_block.ts";

const RAISED = /^(\S.*?):(\d+)(?::in [`'](.+?)')?: (.*) \(([A-Z][\w:]*)\)$/;

/** A message of several lines has its class at the end of the first one all the same. */
const FROM = /^\s+(?:\d+: )?from (.+?):(\d+)(?::in [`'](.+)')?$/;

/** `ZeroDivisionError (divided by 0):`, on several lines where the message has several. */
const RAILS = /^([A-Z]\w*(?:::[A-Z]\w*)*) \((.*?)(?:\):)?$/;
const RAILS_FRAME = /^([\w./-]+\.rb):(\d+):in [`'](.+)'$/;

/** See the module. */
export const rubyErrors: Recogniser = {
  opens(text, before) {
    if (RAILS_FRAME.test(text)) {
      const head = findBack(before, RAILS, 12);
      return head === -1 ? -1 : before.length - head;
    }
    return /\.rb:\d+:|^-e:\d+:|\bruby\b/.test(text) && RAISED.test(text)
      ? 0
      : -1;
  },
  belongs(text, block) {
    const head = block.lines[0]!;
    if (RAILS.test(head)) {
      return RAILS_FRAME.test(text.trim());
    }
    if (FROM.test(text)) {
      block.phase = "from";
      return true;
    }
    if (block.phase !== "from") {
      return isBlank(text) || isIndented(text) ||
        text.startsWith("Did you mean?");
    }
    // The cause follows without a gap. The same head again is another run of the program.
    return RAISED.test(text) && text !== head;
  },
  read(lines) {
    const rails = RAILS.exec(lines[0]!);
    if (rails !== null) {
      const frames = framesOf(lines, RAILS_FRAME);
      return frames.length === 0 ? null : {
        kind: "ruby",
        message: `${rails[1]}: ${rails[2]}`,
        frames,
        lines,
      };
    }
    return readRaised(lines, 0, framesOf(lines, FROM));
  },
};

/** The old order, innermost last, as it stands on a terminal. */
export function readRubyTraceback(lines: readonly string[]): ErrorFacts | null {
  const raised = lines.findIndex((line) => RAISED.test(line));
  return readRaised(lines, raised, framesOf(lines, FROM).reverse());
}

function readRaised(
  lines: readonly string[],
  index: number,
  outer: readonly RawFrame[],
): ErrorFacts | null {
  const match = RAISED.exec(lines[index] ?? "");
  if (match === null) return null;
  const [, file = "", line, name, text, type] = match;
  const inner: RawFrame = {
    file,
    line: numberOf(line),
    column: null,
    function: functionName(name),
    at: index,
  };
  return {
    kind: "ruby",
    message: `${type}: ${text}`,
    frames: [inner, ...outer],
    lines,
    marks: [index],
    ...type === "SyntaxError" ? { byLine: true } : {},
  };
}

function framesOf(lines: readonly string[], pattern: RegExp): RawFrame[] {
  const frames: RawFrame[] = [];
  for (const [at, text] of lines.entries()) {
    const match = pattern.exec(pattern === RAILS_FRAME ? text.trim() : text);
    if (match === null) continue;
    frames.push({
      file: match[1]!,
      line: numberOf(match[2]),
      column: null,
      function: functionName(match[3]),
      at,
    });
  }
  return frames;
}

function functionName(name: string | undefined): string | null {
  return name === undefined || name === "<main>" || name === "<top (required)>"
    ? null
    : name;
}
