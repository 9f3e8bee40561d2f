/**
 * Errors of Node, Deno and Bun: a head, frames, causes, and code around the place.
 *
 * A block becomes visible by its first frame; its head is looked for in the lines before, because nothing tells a head
 * from a line that merely mentions an error.
 *
 * @module
 */

import {
  type Block,
  type ErrorFacts,
  findBack,
  isBlank,
  isIndented,
  numberOf,
  type RawFrame,
  type Recogniser,
} from "../error_block.ts";
import type { ErrorKind } from "../error_group.ts";
import { isV8Frame, v8Frames } from "./v8_frame.ts";

/** How far above the first frame the head may stand: messages have lines. */
const HEAD_REACH = 24;

const NAME = "[A-Z][\\w$]*(?:Error|Exception|Rejection)|Error";

/** The head of an error wherever it stands in its line. */
const HEAD = new RegExp(
  `(?:^|[\\s[\\](:])(?:${NAME})(?: \\[\\w+\\])?(?::|\\]? \\{?$|$)|^error: `,
);

/** An error whose class does not end in `Error`, directly above its frames. */
const NAMED = /^(?:Uncaught )?[A-Z][\w$.]*(?: \[\w+\])?(?:: |$)/;

const MESSAGE = new RegExp(
  `(?:^|[\\s[\\](:])((?:${NAME})(?: \\[\\w+\\])?(?::.*)?)$`,
);

/** `path:line`, above the code that Node shows. */
const CODE_PLACE = /^((?:file:\/\/)?\/\S.*|node:\S+|\[eval\d*\]\S*):(\d+)$/;

const BUN_CODE = /^\s*\d+ \| /;
const CODE_LINE = /^\s*>?\s*\d*\s\|/;
const FOOTER = /^(?:Node\.js v\d|Bun v\d)/;
const AFTER_GAP = /^(?:Node\.js v\d|Bun v\d|Caused by|\s+\[cause\]|Thrown at:)/;
const NO_ERROR = /^(?:Trace\b|\(node:\d+\) (?!UnhandledPromiseRejection))/;

/** See the module. */
export const javascriptErrors: Recogniser = {
  opens(text, before) {
    if (FOOTER.test(text)) return footerReach(before);
    if (!isV8Frame(text)) return -1;
    let head = findBack(before, HEAD, HEAD_REACH);
    if (head !== -1 && isIndented(before[head]!)) {
      // The head of an error in an error that has no frames of its own.
      const outer = findBack(
        before,
        /^\S.*(?:Error|Rejection).*[{[]$/,
        HEAD_REACH,
      );
      if (outer !== -1 && outer < head) head = outer;
    }
    if (head === -1) {
      const last = before.length - 1;
      if (last < 0 || !NAMED.test(before[last]!)) return 0;
      head = last;
    }
    return before.length - codeStart(before, head);
  },
  belongs(text, block) {
    if (block.phase === "end") return false;
    if (block.depth > 0) {
      if (/^\s{0,2}[}\]]/.test(text)) block.depth = 0;
      return true;
    }
    if (FOOTER.test(text)) {
      block.phase = "end";
      return true;
    }
    if (isBlank(text)) {
      block.phase = "gap";
      return true;
    }
    if (isBun(block.lines)) return isBunPart(text, block);
    if (block.phase === "gap" && !AFTER_GAP.test(text)) return false;
    if (!isInner(text, block)) return false;
    block.phase = "";
    return true;
  },
  read(lines) {
    return readJavascript(lines);
  },
};

/** Expectations of `bun test`, which have no frames. */
export const bunTestErrors: Recogniser = {
  opens(text) {
    return text.startsWith("error: expect(") ? 0 : -1;
  },
  belongs(text) {
    return isBlank(text) || isIndented(text) ||
      /^(?:Expected|Received|[-+] )/.test(text);
  },
  read(lines) {
    return {
      kind: "bun",
      message: lines[0]!.replace(/^error: /, ""),
      frames: v8Frames(lines),
      lines,
    };
  },
};

function isBun(lines: readonly string[]): boolean {
  return BUN_CODE.test(lines[0]!);
}

/** Bun shows causes like errors of their own, but a gap before them; what follows without a gap is another error. */
function isBunPart(text: string, block: Block): boolean {
  if (isV8Frame(text)) {
    block.phase = "";
    return true;
  }
  if (block.phase === "gap" && BUN_CODE.test(text)) block.phase = "cause";
  return block.phase === "cause" ||
    (block.phase === "" && isInner(text, block));
}

function isInner(text: string, block: Block): boolean {
  const opensBraces = text.endsWith(" {");
  const isPart = isV8Frame(text) || CODE_LINE.test(text) ||
    /^\s+(?:\.\.\. \d+ (?:more|lines)|\[cause\]:|\[errors\]:)/.test(text) ||
    /^Caused by\b/.test(text) || /^\s+[\^~]+\s*\{?$/.test(text) ||
    // The head of a cause and its message, deeper than the first head.
    (isIndented(text) && HEAD.test(text)) ||
    // The last frame of a block may be followed by its properties.
    /^\s*\},?$/.test(text) && opensLater(block.lines);
  if (isPart && opensBraces) block.depth = 1;
  return isPart;
}

function opensLater(lines: readonly string[]): boolean {
  return lines.some((line) => line.endsWith("{"));
}

/** What an error printed by a JavaScript runtime tells; null for a warning or a trace. */
export function readJavascript(lines: readonly string[]): ErrorFacts | null {
  const head = headIndex(lines);
  const first = lines[head];
  if (first === undefined || NO_ERROR.test(first) || isV8Frame(first)) {
    return null;
  }
  return {
    kind: kindOf(lines, first),
    message: messageOf(lines, head),
    frames: [
      ...v8Frames(lines),
      ...codePlaces(lines),
    ],
    lines,
    marks: [head],
  };
}

function headIndex(lines: readonly string[]): number {
  const found = lines.findIndex((line) =>
    !CODE_LINE.test(line) && HEAD.test(line) && !isV8Frame(line)
  );
  if (found !== -1) return found;
  const frame = lines.findIndex(isV8Frame);
  const footer = lines.findIndex((line) => FOOTER.test(line));
  const end = frame !== -1 ? frame : footer === -1 ? lines.length : footer;
  for (let index = end - 1; index >= 0; index--) {
    if (!isBlank(lines[index]!) && !lines[index]!.startsWith("(Use `")) {
      return index;
    }
  }
  return -1;
}

function messageOf(lines: readonly string[], head: number): string {
  const line = lines[head]!.trim().replace(/ \{$/, "");
  const plain = line
    .replace(/^(?:error: )?(?:Uncaught )?(?:\(in promise\) )?/, "")
    .replace(/^\[(.*)\]$/, "$1");
  const message = MESSAGE.exec(plain)?.[1] ?? (plain || line);
  const next = lines[head + 1]?.trim() ?? "";
  // A head whose message starts on the next line.
  return message.endsWith(":") && next !== "" && !isV8Frame(lines[head + 1]!)
    ? `${message} ${next}`
    : message;
}

function kindOf(lines: readonly string[], head: string): ErrorKind {
  if (head.includes("⨯")) return "next";
  if (lines.some((line) => /^Bun v\d|^\s+at .*\bbun:/.test(line))) return "bun";
  if (lines.some((line) => /^Node\.js v|^\s+at .*\bnode:internal/.test(line))) {
    return "node";
  }
  if (BUN_CODE.test(lines[0]!)) return "bun";
  if (/^error: /.test(head) || lines.some((line) => line.includes("(ext:"))) {
    return "deno";
  }
  return "node";
}

/** The places above code that Node shows, for errors whose frames are all inside Node. */
function codePlaces(lines: readonly string[]): RawFrame[] {
  const frames: RawFrame[] = [];
  for (const [at, text] of lines.entries()) {
    const match = CODE_PLACE.exec(text);
    if (match === null) continue;
    frames.push({
      file: match[1]!,
      line: numberOf(match[2]),
      column: null,
      function: null,
      at,
    });
  }
  return frames;
}

/** Where the code above a head begins; the head itself if there is none. */
function codeStart(before: readonly string[], head: number): number {
  for (let index = head - 1; index >= Math.max(0, head - 8); index--) {
    if (CODE_PLACE.test(before[index]!)) return index;
  }
  let start = head;
  while (
    start > 0 && head - start < 12 &&
    (BUN_CODE.test(before[start - 1]!) || /^\s+\^\s*$/.test(before[start - 1]!))
  ) start--;
  return start;
}

/** An error without frames, such as a thrown text: all from the place above the code. */
function footerReach(before: readonly string[]): number {
  const place = findBack(before, CODE_PLACE, HEAD_REACH);
  if (place !== -1) return before.length - place;
  const head = findBack(before, /^error: /, 2);
  return head === -1 ? -1 : before.length - head;
}
