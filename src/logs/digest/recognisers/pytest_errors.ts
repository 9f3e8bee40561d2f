/**
 * Failures that pytest reports: one block for each test. Its short summary tells them again and is passed over.
 *
 * @module
 */

import { numberOf, type RawFrame, type Recogniser } from "../error_block.ts";
import { readTraceback } from "./python_errors.ts";

const TITLE = /^_{3,} (.+?) _{3,}$/;
const SECTION = /^={3,} .* ={3,}$|^={10,}$/;
const SUMMARY = /^={3,} short test summary info ={3,}$/;
const PLACE = /^(\S+?\.py):(\d+): ?(.*)$/;
const WHY = /^E {2,}(.*)$/;

/** Failed tests, and files that cannot be collected. */
export const pytestErrors: Recogniser = {
  opens(text) {
    return text.startsWith("___") && TITLE.test(text) ? 0 : -1;
  },
  belongs(text) {
    return !TITLE.test(text) && !SECTION.test(text);
  },
  read(lines) {
    const title = TITLE.exec(lines[0]!)?.[1] ?? "";
    const native = readTraceback(lines);
    if (native !== null) {
      return {
        ...native,
        kind: "pytest",
        message: `${title}: ${native.message}`,
        identity: identityOf(title, native.message),
        lines: withoutCaptured(lines),
      };
    }
    const why = lines.findIndex((line) => WHY.test(line));
    const frames = framesOf(lines);
    const end = frames[0];
    if (why === -1 && end === undefined) return null;
    const message = messageOf(lines);
    return {
      kind: "pytest",
      message: `${title}: ${message}`,
      identity: identityOf(title, message),
      frames,
      lines: withoutCaptured(lines),
      marks: [why, end?.at ?? 0],
      byLine: /collecting/.test(title),
    };
  },
};

/** Failures in one line each, of `--tb=line`: why, what was printed, and where. */
export const pytestLines: Recogniser = {
  opens(text) {
    return /^E {3}\S/.test(text) ? 0 : -1;
  },
  belongs(text, block) {
    if (block.phase === "end" || block.lines.length > 60) return false;
    if (/^\S+\.py:\d+: /.test(text)) block.phase = "end";
    return block.phase === "end" || !(WHY.test(text) || SECTION.test(text));
  },
  read(lines) {
    const message = messageOf(lines);
    return {
      kind: "pytest",
      message,
      identity: identityOf("", message),
      frames: framesOf(lines),
      lines: [lines[0]!, ...lines.slice(-1)],
    };
  },
};

/** A test with parameters fails in one way, whichever of them. */
function identityOf(title: string, message: string): string {
  const type = /^[\w.]+(?=:|$)/.exec(message)?.[0] ?? message;
  return `${title.replace(/\[.*\]$/, "")}: ${type}`;
}

/** The summary and everything in it. */
export const pytestSummary: Recogniser = {
  opens(text) {
    return SUMMARY.test(text) ? 0 : -1;
  },
  belongs(text) {
    return /^(?:FAILED|ERROR|SKIPPED|XFAIL|XPASS|PASSED|E )/.test(text) ||
      SECTION.test(text) || text.startsWith("!!!");
  },
  read() {
    return null;
  },
};

function messageOf(lines: readonly string[]): string {
  const whys = lines.flatMap((line) => WHY.exec(line)?.[1] ?? []);
  const named = whys.findLast((why) =>
    /^[\w.]+(?:Error|Exception|Exit)\b/.test(why.trim())
  );
  return (named ?? whys[0] ?? "").trim();
}

/** Innermost first; pytest prints it last. */
function framesOf(lines: readonly string[]): RawFrame[] {
  const frames: RawFrame[] = [];
  let name: string | null = null;
  for (const [at, text] of lines.entries()) {
    const def = /^[> ]\s*(?:async )?def (\w+)\(/.exec(text);
    if (def !== null) name = def[1]!;
    const parsed = /^E\s+File "(.+)", line (\d+)$/.exec(text);
    const match = parsed ?? PLACE.exec(text);
    if (match === null) continue;
    const said = /^in (\w+)$/.exec(match[3] ?? "")?.[1] ?? name;
    frames.push({
      file: match[1]!,
      line: numberOf(match[2]),
      column: null,
      function: said,
      at,
    });
    name = null;
  }
  return frames.reverse();
}

/** What a test printed is no part of its error. */
function withoutCaptured(lines: readonly string[]): readonly string[] {
  const captured = lines.findIndex((line) => /^-{3,} Captured /.test(line));
  return captured === -1 ? lines : lines.slice(0, captured);
}
