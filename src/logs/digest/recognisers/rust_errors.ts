/**
 * Panics of Rust in every format so far, and what its compiler says.
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

const HEAD = /^thread '(.*)' (?:\(\d+\) )?panicked at (.+)$/;

/** Since 1.73: the place, and the message below it. */
const PLACE = /^(.+?):(\d+):(\d+):$/;

/** Before: the message in quotes, then the place. */
const OLD_PLACE = /^'(.*)', (\S+?):(\d+):(\d+)$/s;

/** What a test printed, above the panic that ended it. */
const CAPTURED = /^---- \S.* stdout ----$/;

const FRAME = /^\s+(\d+): +(?:0x[0-9a-f]+ - )?(.+)$/;
const FRAME_PLACE = /^\s+at (\S+?):(\d+)(?::(\d+))?$/;
const NOTE = /^(?:note: |stack backtrace:|\s+\[\.\.\. omitted)/;

/** Panics. */
export const rustErrors: Recogniser = {
  opens(text) {
    return HEAD.test(text) || CAPTURED.test(text) ? 0 : -1;
  },
  belongs(text, block) {
    if (block.depth === 0) {
      const isCaptured = CAPTURED.test(block.lines[0]!);
      // Where the message of the panic begins.
      if (!isCaptured) block.depth = 1;
      else if (HEAD.test(text)) {
        block.depth = block.lines.length + 1;
        return true;
      } else return !CAPTURED.test(text) && !/^failures:$/.test(text);
    }
    if (CAPTURED.test(text)) return false;
    if (isBlank(text)) return true;
    if (NOTE.test(text)) {
      block.phase = "note";
      return true;
    }
    if (FRAME.test(text) || FRAME_PLACE.test(text)) return true;
    if (block.phase === "note") return false;
    // The message is what stands between the place and the note.
    return block.lines.length === block.depth || isIndented(text) ||
      /^(?:left|right|Caused by)\b/.test(text);
  },
  read(lines) {
    const head = lines.findIndex((line) => HEAD.test(line));
    if (head === -1) return null;
    const rest = HEAD.exec(lines[head]!)?.[2] ?? "";
    const old = OLD_PLACE.exec(rest);
    const place = old === null ? PLACE.exec(rest) : null;
    const message = old?.[1] ??
      (place === null ? rest : lines[head + 1]?.trim() ?? "");
    const [file, line, column] = old?.slice(2) ?? place?.slice(1) ?? [];
    const backtrace = backtraceOf(lines);
    const own = backtrace.find((frame) =>
      file !== undefined && frame.file.endsWith(file.replace(/^\.\//, "")) &&
      frame.line === numberOf(line)
    );
    const inner: RawFrame = {
      file: file ?? "",
      line: numberOf(line),
      column: numberOf(column),
      function: own?.function ?? null,
      at: head,
    };
    return {
      kind: "rust",
      message: message === "" ? "panicked" : message,
      frames: [inner, ...backtrace],
      lines,
      marks: old === null ? [head, head + 1] : [head],
    };
  },
};

function backtraceOf(lines: readonly string[]): RawFrame[] {
  const frames: RawFrame[] = [];
  let name: string | null = null;
  for (const [at, text] of lines.entries()) {
    const frame = FRAME.exec(text);
    if (frame !== null) {
      name = frame[2]!.replace(/::h[0-9a-f]{16}$/, "");
      continue;
    }
    const match = FRAME_PLACE.exec(text);
    if (match === null) continue;
    frames.push({
      file: match[1]!,
      line: numberOf(match[2]),
      column: numberOf(match[3]),
      function: name,
      at,
    });
  }
  return frames;
}

const CAUSED = /^Caused by:$/;

/** Errors with causes that nobody caught: of a program with anyhow, and of cargo itself. */
export const rustCauses: Recogniser = {
  opens(text, before) {
    if (!CAUSED.test(text)) return -1;
    const head = findBack(before, /^[Ee]rror: /, 1);
    return head === -1 ? -1 : before.length - head;
  },
  belongs(text) {
    return isBlank(text) || isIndented(text) || CAUSED.test(text);
  },
  read(lines) {
    const head = lines[0]!;
    const file = /`(\/\S+)`$/.exec(head)?.[1];
    return {
      kind: head.startsWith("Error") ? "rust" : "cargo",
      message: head.replace(/^[Ee]rror: /, ""),
      frames: file === undefined
        ? []
        : [{ file, line: null, column: null, function: null, at: 0 }],
      lines,
    };
  },
};

/** A stack that was too deep. */
export const rustOverflows: Recogniser = {
  opens(text) {
    return /^thread '.*' (?:\(\d+\) )?has overflowed its stack$/.test(text)
      ? 0
      : -1;
  },
  belongs(text) {
    return /^(?:fatal runtime error: stack overflow|Aborted)/.test(text);
  },
  read(lines) {
    return { kind: "rust", message: "stack overflow", frames: [], lines };
  },
};

const DIAGNOSTIC = /^(error|warning)(?:\[([\w-]+)\])?: (.*)$/;
const ARROW = /^\s+--> (.+?):(\d+):(\d+)$/;
const DIAGNOSTIC_PART =
  /^(?:\s*\d*\s+[|=~+]|\s*\|$|\s*\d+ +[|~+-]|\.\.\.|\s+(?:-->|:::) |(?:note|help): )/;

/** Diagnostics of rustc, and of the linter of Deno, which prints like it. They become visible by the arrow to their place. */
export const cargoErrors: Recogniser = {
  opens(text, before) {
    if (!ARROW.test(text)) return -1;
    const head = findBack(before, DIAGNOSTIC, 4);
    return head === -1 ? -1 : before.length - head;
  },
  belongs(text) {
    return DIAGNOSTIC_PART.test(text);
  },
  read(lines) {
    const [, level, code, text = ""] = DIAGNOSTIC.exec(lines[0]!) ?? [];
    if (level !== "error") return null;
    const at = lines.findIndex((line) => ARROW.test(line));
    const [, file = "", line, column] = ARROW.exec(lines[at] ?? "") ?? [];
    return {
      kind: code !== undefined && /^[a-z]/.test(code) ? "deno" : "cargo",
      message: code === undefined ? text : `${code}: ${text}`,
      frames: [{
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
