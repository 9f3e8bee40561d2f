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
const LOGGED_FRAME = /^([\w./-]+\.rb):(\d+):in [`'](.+)'$/;

const SYNTAX = /^(\S+\.rb):(\d+): (syntax errors?\b.*)$/;

/** What `Logger` makes of an exception; its class stands at the end of the message. */
const LOGGED = /^[EF], \[.*\] +\w+ -- .*?: (.*)$/;

const LOGGED_HEAD = new RegExp(`${RAILS.source}|${LOGGED.source}`);

const TEST = /^\s+\d+\) (?:Failure|Error):$/;
const TEST_NAME = /^(\S+#\S+?)(?: \[(.+?):(\d+)\])?:$/;

const DEAD_THREAD = /^#<Thread:.* terminated with exception/;

/** See the module. */
export const rubyErrors: Recogniser = {
  opens(text, before) {
    if (!/\.rb:\d+:|^-e:\d+:|\bruby\b/.test(text)) return -1;
    if (RAISED.test(text)) {
      return DEAD_THREAD.test(before.at(-1) ?? "") ? 1 : 0;
    }
    if (!LOGGED_FRAME.test(text)) return -1;
    const head = findBack(before, LOGGED_HEAD, 12);
    return head === -1 ? -1 : before.length - head;
  },
  belongs(text, block) {
    if (LOGGED_HEAD.test(block.lines[0]!)) {
      return LOGGED_FRAME.test(text.trim());
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
    return RAISED.test(text) &&
      !block.lines.slice(0, 2).includes(text);
  },
  read(lines) {
    if (LOGGED_HEAD.test(lines[0]!)) return readLogged(lines);
    const raised = lines.findIndex((line) => RAISED.test(line));
    return readRaised(lines, raised, framesOf(lines, FROM));
  },
};

/** Failed tests of Minitest. */
export const rubyTests: Recogniser = {
  opens(text) {
    return TEST.test(text) ? 0 : -1;
  },
  belongs(text) {
    return !TEST.test(text) && !/^\d+ runs, /.test(text);
  },
  read(lines) {
    const [, name, file, line] = TEST_NAME.exec(lines[1] ?? "") ?? [];
    if (name === undefined) return null;
    const frames = framesOf(lines, LOGGED_FRAME);
    const place: RawFrame[] = file === undefined ? [] : [{
      file,
      line: numberOf(line),
      column: null,
      function: name.split("#")[1] ?? null,
      at: 1,
    }];
    const said = lines.slice(2).map((each) => each.trim())
      .filter((each) => each !== "");
    const text = file === undefined ? said[0] : said.slice(0, 2).join(" ");
    return {
      kind: "ruby",
      message: `${name}: ${text ?? ""}`,
      frames: [...place, ...frames],
      lines,
    };
  },
};

/** A file that cannot be parsed. */
export const rubySyntaxErrors: Recogniser = {
  opens(text) {
    return text.includes("syntax error") && SYNTAX.test(text) ? 0 : -1;
  },
  belongs(text) {
    return isIndented(text);
  },
  read(lines) {
    const [, file = "", line, message = ""] = SYNTAX.exec(lines[0]!) ?? [];
    return {
      kind: "ruby",
      message,
      frames: [{
        file,
        line: numberOf(line),
        column: null,
        function: null,
        at: 0,
      }],
      lines,
      byLine: true,
    };
  },
};

function readLogged(lines: readonly string[]): ErrorFacts | null {
  const frames = framesOf(lines, LOGGED_FRAME);
  const head = lines[0]!;
  const rails = RAILS.exec(head);
  const said = lines.slice(0, frames[0]?.at).map((line) => line.trim())
    .filter((line) => line !== "");
  const type = rails?.[1] ?? /\(([A-Z][\w:]*)\)$/.exec(said.at(-1) ?? "")?.[1];
  const text = rails?.[2] ?? LOGGED.exec(head)?.[1] ?? head;
  const plain = text.replace(/ \([A-Z][\w:]*\)$/, "");
  return {
    kind: "ruby",
    message: type === undefined ? plain : `${type}: ${plain}`,
    frames,
    lines,
  };
}

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
    const match = pattern.exec(pattern === LOGGED_FRAME ? text.trim() : text);
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
