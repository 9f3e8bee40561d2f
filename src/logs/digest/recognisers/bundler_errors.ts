/**
 * Errors of bundlers and of the dev servers around them: esbuild, Vite, Next, webpack.
 *
 * @module
 */

import {
  type Block,
  type ErrorFacts,
  isBlank,
  isIndented,
  numberOf,
  type RawFrame,
  type Recogniser,
} from "../error_block.ts";
import { isV8Frame, v8Frames } from "./v8_frame.ts";

const ESBUILD = /^\s*(?:✘|X) \[ERROR\] (.*)$/;
const ESBUILD_PLACE = /^\s+(\S.*?):(\d+):(\d+):$/;

/** esbuild. */
export const esbuildErrors: Recogniser = {
  opens(text) {
    return text.includes("[ERROR]") && ESBUILD.test(text) ? 0 : -1;
  },
  belongs(text) {
    return isBlank(text) || (isIndented(text) && !ESBUILD.test(text));
  },
  read(lines) {
    const message = ESBUILD.exec(lines[0]!)?.[1] ?? "";
    return {
      kind: "esbuild",
      message: message.replace(/ \[plugin \S+\]$/, ""),
      frames: placesOf(lines, ESBUILD_PLACE),
      lines,
      byLine: true,
    };
  },
};

const VITE =
  /\[vite(?::[\w-]+)?\] (?:\(\w+\) )?(?:\w[\w -]{0,40} )?(?:[Ee]rror(?=:| when| while)|[Ff]ailed to )|^error (?:during build|when starting dev server):/;

const VITE_BUILD = /^error (?:during build|when starting dev server):/;
const VITE_CONFIG = /^failed to load config from (\S+)$/;

/** What Rolldown, the bundler in Vite, says: after a code or the name of a plugin; `[watch]` and its like are others. */
const ROLLDOWN = /^\[([A-Z][A-Z0-9_]+|plugin [\w:-]+|[\w-]+:[\w:-]+)\] (\S.*)$/;
const ROLLDOWN_PLACE = /^\s*╭─\[ ?(\S+?):(\d+):(\d+) ?\]$/;
const VITE_FILE = /^\s+File: ([^\s?]+?)(?:\?\S*?)?(?::(\d+):(\d+))?$/;
const TRANSFORM = /^(\S+?):(\d+):(\d+): (?:ERROR|error): (.*)$/;

/** Vite. */
export const viteErrors: Recogniser = {
  opens(text, before) {
    if (!VITE.test(text) || isV8Frame(text)) return -1;
    return VITE_CONFIG.test(before.at(-1) ?? "") ? 1 : 0;
  },
  belongs(text, block) {
    if (VITE.test(text)) return false;
    if (isBlank(text)) {
      block.phase = "gap";
      return true;
    }
    const isInner = isIndented(text) || TRANSFORM.test(text) ||
      /^\d+ *[|│]|^\s*\||^[─}]/.test(text) ||
      (ROLLDOWN.test(text) && !text.startsWith("[vite")) ||
      isBuildText(text, block);
    if (isInner) block.phase = "";
    return isInner;
  },
  read(lines) {
    const frames = [
      ...placesOf(lines, ROLLDOWN_PLACE),
      ...placesOf(lines, VITE_FILE),
      ...placesOf(lines, /^\s*file: ([^\s?]+?)(?:\?\S*?)?:(\d+):(\d+)$/),
      ...placesOf(lines, TRANSFORM),
      ...importerOf(lines),
      ...v8Frames(lines),
      ...placesOf(lines, VITE_CONFIG),
    ];
    // A file without a line is worth less than the same with one.
    frames.sort((a, b) => Number(a.line === null) - Number(b.line === null));
    return { kind: "vite", message: viteMessage(lines), frames, lines };
  },
};

/** What `vite build` says below its head is not indented. */
function isBuildText(text: string, { lines, phase }: Block): boolean {
  return phase !== "gap" && lines.length < 8 &&
    (lines.some((line) => VITE_BUILD.test(line)) ||
      /:$/.test(lines.at(-1)!)) &&
    !/^\d\d?:\d\d:\d\d/.test(text);
}

function viteMessage(lines: readonly string[]): string {
  const at = Math.max(0, lines.findIndex((line) => VITE.test(line)));
  for (const line of lines.slice(at + 1)) {
    const detail = TRANSFORM.exec(line)?.[4] ?? ROLLDOWN.exec(line)?.[2];
    if (detail !== undefined) return detail;
  }
  if (VITE_BUILD.test(lines[at]!)) return (lines[at + 1] ?? lines[at]!).trim();
  return lines[at]!.replace(/^.*?\[vite[^\]]*\]:? (?:\(\w+\) )?/, "")
    .replace(/^(?:Internal server error|Pre-transform error): /, "").trim();
}

/** The file named in `Failed to resolve import "x" from "src/main.ts"`. */
function importerOf(lines: readonly string[]): RawFrame[] {
  const match = /(?:from "([^"]+)"|\bin (\/\S+?)\.?(?: |$))/.exec(
    lines.find((line) => VITE.test(line)) ?? "",
  );
  const file = match?.[1] ?? match?.[2];
  return file === undefined
    ? []
    : [{ file, line: null, column: null, function: null, at: 0 }];
}

const NEXT = /^\s*⨯ (.+)$|^Failed to compile\.?$/;
const NEXT_PLACE = /^\s*(?:⨯ )?(\.{0,2}\/?[\w@./()[\]-]+\.\w+):(\d+):(\d+)$/;
const NEXT_FILE = /^\s*(?:⨯ )?(\.\/[\w@./()[\]-]+\.\w+)$/;
const NEXT_OTHER =
  /^\s*(?:[✓○⨯⚠▲]|(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \/|\[)/;

/** Next. */
export const nextErrors: Recogniser = {
  opens(text) {
    return NEXT.test(text) ? 0 : -1;
  },
  belongs(text, block) {
    if (
      block.phase === "end" || NEXT_OTHER.test(text) ||
      block.lines.length > 60
    ) return false;
    if (isBlank(text)) {
      block.phase = "gap";
      return true;
    }
    const stays = isIndented(text) || isV8Frame(text) ||
      /^(?:>|[{}],?$)|^\d+ *\|/.test(text) || isNextText(block);
    block.phase = text.startsWith("> Build ") ? "end" : "";
    return stays;
  },
  read(lines) {
    const frames = [
      ...placesOf(lines, NEXT_PLACE),
      ...placesOf(lines, /╭─\[(\S+?):(\d+):(\d+)\]$/),
      ...v8Frames(lines),
      ...placesOf(lines, NEXT_FILE),
    ];
    const message = nextMessage(lines);
    return {
      kind: "next",
      message,
      frames,
      lines,
      isWeak: /^Next\.js build worker exited/.test(message),
    };
  },
};

/** Text of the compiler: it goes on until it has shown where. */
function isNextText({ lines }: Block): boolean {
  return !lines.some(isV8Frame) && lines.length < 24 &&
    lines.some((line) =>
      NEXT_PLACE.test(line) || NEXT_FILE.test(line) || /^Failed to/.test(line)
    );
}

function nextMessage(lines: readonly string[]): string {
  const texts = lines
    .map((line) => line.trim().replace(/^⨯ /, "").replace(/ \{$/, ""))
    .filter((line) =>
      line !== "" && !NEXT_PLACE.test(line) && !NEXT_FILE.test(line) &&
      !/^Failed to compile/.test(line) && !/^(?:>|\d+ *\||\||at )/.test(line)
    );
  return texts[0] ?? lines[0]!.trim();
}

const WEBPACK = /^ERROR in (\S+)(?: (\d+):(\d+)(?:-\d+(?::\d+)?)?)?$/;

/** webpack and what speaks like it. */
export const webpackErrors: Recogniser = {
  opens(text) {
    return text.startsWith("ERROR in ") && WEBPACK.test(text) ? 0 : -1;
  },
  belongs(text, block) {
    if (isBlank(text)) block.phase = "gap";
    return block.phase !== "gap" && block.lines.length < 40;
  },
  read(lines) {
    const [, file = "", line, column] = WEBPACK.exec(lines[0]!) ?? [];
    return {
      kind: "webpack",
      message: (lines[1] ?? lines[0]!).trim(),
      frames: [{
        file,
        line: numberOf(line),
        column: numberOf(column),
        function: null,
        at: 0,
      }],
      lines,
      byLine: true,
    } satisfies ErrorFacts;
  },
};

function placesOf(lines: readonly string[], pattern: RegExp): RawFrame[] {
  const frames: RawFrame[] = [];
  for (const [at, text] of lines.entries()) {
    const match = pattern.exec(text);
    if (match === null) continue;
    frames.push({
      file: match[1]!,
      line: numberOf(match[2]),
      column: numberOf(match[3]),
      function: null,
      at,
    });
  }
  return frames;
}
