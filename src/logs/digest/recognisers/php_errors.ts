/**
 * Fatal errors of PHP, which it tells twice where it both logs and displays them.
 *
 * @module
 */

import {
  findBack,
  isBlank,
  isIndented,
  numberOf,
  type RawFrame,
  type Recogniser,
} from "../error_block.ts";

const HEAD =
  /^(?:\[[^\]]*\] )?(PHP )?(Fatal error|Parse error|Recoverable fatal error|Compile error): +(.*)$/;
const PLACE = / in (\S+?)(?: on line |:)(\d+)$/;
/** Any exception with its place, as it is printed. Names are bounded: a long word must not be tried at each of its letters. */
const CAUGHT =
  /(?<!\w)((?:[A-Z]\w{0,79}\\){0,15}[A-Z]\w{0,79}(?:Error|Exception)\b.* in \S+:\d+)$/;
const TRACE = /^(?:PHP +)?Stack trace:$/;
const NEXT = /^Next /;
const FRAME = /^#\d+ (?:(\S+?)\((\d+)\): )?(.+)$/;

/** See the module. */
export const phpErrors: Recogniser = {
  opens(text, before) {
    if (TRACE.test(text)) {
      const head = findBack(before, CAUGHT, 6);
      return head === -1 ? -1 : before.length - head;
    }
    return text.includes("rror: ") && HEAD.test(text) ? 0 : -1;
  },
  belongs(text, block) {
    if (block.phase === "end") return false;
    const rest = text.replace(/^\[[^\]]*\] /, "");
    if (TRACE.test(rest) || /^PHP +\d+\. /.test(rest)) {
      block.phase = "trace";
      return true;
    }
    if (FRAME.test(rest)) return true;
    if (/^\s+thrown in /.test(text)) {
      block.phase = "end";
      return true;
    }
    if (isBlank(text)) return true;
    if (NEXT.test(text)) return true;
    // A message of several lines goes on until the trace.
    return block.phase === "" && /Uncaught/.test(block.lines[0]!) &&
      !PLACE.test(block.lines.at(-1)!) && block.lines.length < 8 &&
      (isIndented(text) || !HEAD.test(text));
  },
  read(lines) {
    const match = HEAD.exec(lines[0]!);
    const caught = match === null ? CAUGHT.exec(lines[0]!)?.[1] : undefined;
    if (match === null && caught === undefined) return null;
    const [, channel, severity, text = `Uncaught ${caught}`] = match ?? [];
    // The exception that was thrown last stands last, after its causes.
    const last = lines.findLastIndex((line) => NEXT.test(line));
    const from = Math.max(0, last);
    const said = last === -1 ? text : lines[last]!.replace(NEXT, "");
    const plain = said.replace(PLACE, "").replace(/^Uncaught /, "");
    const isException = last !== -1 || text.startsWith("Uncaught ");
    return {
      kind: "php",
      message: isException ? plain : `${severity}: ${plain}`,
      frames: framesOf(lines, from, placeOf(lines, from)),
      lines,
      marks: [from],
      ...match === null ? {} : { channel: channel ?? "" },
      ...severity === "Parse error" ? { byLine: true } : {},
    };
  },
};

function placeOf(
  lines: readonly string[],
  from: number,
): Pick<RawFrame, "file" | "line" | "at"> | null {
  for (const [at, text] of lines.entries()) {
    const match = at < from ? null : PLACE.exec(text);
    if (match !== null) {
      return { file: match[1]!, line: numberOf(match[2]), at };
    }
  }
  return null;
}

/** PHP names the function beside the place that called it, so names belong one line lower. */
function framesOf(
  lines: readonly string[],
  from: number,
  place: Pick<RawFrame, "file" | "line" | "at"> | null,
): RawFrame[] {
  const frames: RawFrame[] = [];
  let inner = place;
  for (const [at, text] of lines.entries()) {
    const match = at < from
      ? null
      : FRAME.exec(text.replace(/^\[[^\]]*\] /, ""));
    if (match === null) continue;
    const name = match[3] === "{main}" ? null : match[3]!.replace(/\(.*$/s, "");
    if (inner !== null) frames.push({ ...inner, column: null, function: name });
    inner = match[1] === undefined
      ? null
      : { file: match[1], line: numberOf(match[2]), at };
  }
  if (inner !== null) frames.push({ ...inner, column: null, function: null });
  return frames;
}
