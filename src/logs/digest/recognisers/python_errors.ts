/**
 * Tracebacks of Python, chained ones and groups included, and those of old Rubies, which begin with the same words.
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
import { readRubyTraceback } from "./ruby_errors.ts";

const HEAD =
  /^[\s|+-]*(?:Exception Group )?Traceback \(most recent call last\):\s*$/;
const FRAME = /^[\s|+>]*File "(.+?)", line (\d+)(?:, in (.+))?$/;
const RAISED = /^(?:[A-Za-z_][\w.]*)(?:: .*|:)?$/;
const CHAIN =
  /^[\s|+]*(?:During handling of the above exception|The above exception was the direct cause)/;
const GROUP_END = /^\s+\+-{20,}$/;

/** What stands above a traceback and belongs to it. */
const ANNOUNCED =
  /^(?:Exception in thread |Exception ignored in|(?:Future|Task) exception was never retrieved|concurrent\.futures\.process\._RemoteTraceback|multiprocessing\.pool\.RemoteTraceback|(?:ERROR|FAIL): \w+ \(|Process \S+:$)/;

/** Ctrl-C, or a stop by SIGINT: somebody's wish, no error. */
const INTERRUPTED = /^KeyboardInterrupt(?::|$)/;

/** What Ctrl-C raises in asyncio first. */
const CANCELLED = /^(?:asyncio\.exceptions\.)?CancelledError(?::|$)/;

const BOX = /^\s*╭─+ Traceback \(most recent call last\)/;

const RUBY_FRAME = /^\t?\s*\d+: from /;
const SYNTAX = /^(?:SyntaxError|IndentationError|TabError): /;

/** See the module. */
export const pythonErrors: Recogniser = {
  opens(text, before) {
    if (!HEAD.test(text)) return -1;
    const announced = findBack(before, ANNOUNCED, 2);
    return announced === -1 ? 0 : before.length - announced;
  },
  belongs(text, block) {
    if (isGroupLine(text)) {
      // Below the bottom of a group only more of it or of a chain can follow.
      if (GROUP_END.test(text)) block.phase = "gap";
      return true;
    }
    if (block.phase === "gap" || block.phase === "chain") {
      if (isBlank(text)) return true;
      if (block.phase === "gap" && CHAIN.test(text)) {
        block.phase = "chain";
        return true;
      }
      if (block.phase === "gap" || !HEAD.test(text)) return false;
      block.phase = "";
      return true;
    }
    if (isBlank(text)) {
      if (block.phase === "raised") block.phase = "gap";
      return true;
    }
    if (CHAIN.test(text)) {
      block.phase = "chain";
      return true;
    }
    if (isIndented(text) || text.startsWith("> File ")) return true;
    // The end of what another process has told, or a hint of SQLAlchemy.
    if (block.phase === "raised") return /^(?:"""$|\(Background on)/.test(text);
    block.phase = "raised";
    return RAISED.test(text) || /^\S+:\d+:in /.test(text);
  },
  read(lines) {
    return lines.some((line) => RUBY_FRAME.test(line))
      ? readRubyTraceback(lines)
      : readTraceback(lines);
  },
};

/** A line of a group is recognised by its bars, whatever stands behind them. */
function isGroupLine(text: string): boolean {
  return /^\s+[|+](?:[\s-]|$)/.test(text);
}

/** What Python says about a file that it cannot parse: no traceback, only the place. */
export const pythonSyntaxErrors: Recogniser = {
  opens(text) {
    return text.startsWith('  File "') && /^ {2}File ".+", line \d+$/.test(text)
      ? 0
      : -1;
  },
  belongs(text, block) {
    if (block.phase === "end" || block.lines.length > 6) return false;
    if (SYNTAX.test(text)) {
      block.phase = "end";
      return true;
    }
    return isIndented(text);
  },
  read(lines) {
    const end = lines.findIndex((line) => SYNTAX.test(line));
    if (end === -1) return null;
    return {
      kind: "python",
      message: lines[end]!.trim(),
      frames: framesOf(lines, 0, end),
      lines,
      marks: [end],
      byLine: true,
    };
  },
};

/** Tracebacks in the boxes that rich draws, for itself, for structlog and for typer. */
export const richErrors: Recogniser = {
  opens(text) {
    return BOX.test(text) ? 0 : -1;
  },
  belongs(text, block) {
    if (block.phase === "end") return false;
    if (/^\s*[│├]/.test(text)) return true;
    if (/^\s*╰/.test(text)) {
      block.phase = "closed";
      return true;
    }
    if (block.phase === "closed") block.phase = "end";
    return block.phase === "end" && !isBlank(text);
  },
  read(lines) {
    const raised = lines.findLastIndex((line) => !/^\s*[│├╰╭]/.test(line));
    if (raised === -1) return null;
    const frames: RawFrame[] = [];
    for (const [at, text] of lines.entries()) {
      const match = /^\s*│ (\S+):(\d+) in (\S+)/.exec(text);
      if (match === null) continue;
      frames.push({
        file: match[1]!,
        line: numberOf(match[2]),
        column: null,
        function: match[3] === "<module>" ? null : match[3]!,
        at,
      });
    }
    return {
      kind: "python",
      message: lines[raised]!.trim(),
      frames: frames.reverse(),
      lines,
      marks: [raised],
    };
  },
};

/** What a traceback tells; null if it breaks off before its exception. */
export function readTraceback(lines: readonly string[]): ErrorFacts | null {
  const starts = [...lines.keys()].filter((index) => HEAD.test(lines[index]!));
  const isGroup = /Exception Group/.test(lines[starts[0] ?? 0] ?? "");
  const last = isGroup ? starts[0] : starts.at(-1);
  if (last === undefined) return null;
  const raised = raisedIndex(lines, last + 1);
  if (raised === -1) return null;
  if (INTERRUPTED.test(lines[raised]!)) {
    const isAll = starts.length === 1 ||
      lines.some((line) => CANCELLED.test(line));
    if (isAll) return null;
  }
  const frames = framesOf(lines, last, raised).reverse();
  const others = framesOf(lines, 0, lines.length)
    .filter(({ at }) => at < last || at > raised).reverse();
  return {
    kind: "python",
    message: lines[raised]!.replace(/^[\s|+]+/, "").trim(),
    // Where another process raised it says more than where that was told here.
    frames: /RemoteTraceback/.test(lines[0]!)
      ? [...others, ...frames]
      : [...frames, ...others],
    lines,
    marks: [raised],
    ...SYNTAX.test(lines[raised]!) ? { byLine: true } : {},
  };
}

/** The first line after the frames that is no deeper than they began. */
function raisedIndex(lines: readonly string[], from: number): number {
  const first = lines[from];
  if (first === undefined) return -1;
  const margin = marginOf(lines[from - 1]!);
  for (let index = from; index < lines.length; index++) {
    const text = lines[index]!;
    if (isBlank(text) || text.length <= margin) continue;
    const rest = text.slice(margin).replace(/^\| /, "");
    if (RAISED.test(rest) && !isIndented(rest)) return index;
  }
  return findBack(
    lines,
    /^\s*[|+]?\s*[\w.]+(?:Error|Exception|Exit|Interrupt)\b/,
    lines.length,
  );
}

function marginOf(head: string): number {
  const group = head.indexOf("+ Exception Group");
  if (group !== -1) return group;
  return Math.max(0, head.indexOf("Traceback"));
}

function framesOf(
  lines: readonly string[],
  from: number,
  to: number,
): RawFrame[] {
  const frames: RawFrame[] = [];
  for (let at = from; at < to; at++) {
    const match = FRAME.exec(lines[at]!);
    if (match === null) continue;
    const name = match[3];
    frames.push({
      file: match[1]!,
      line: numberOf(match[2]),
      column: null,
      function: name === undefined || name === "<module>" ? null : name,
      at,
    });
  }
  return frames;
}
