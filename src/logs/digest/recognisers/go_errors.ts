/**
 * Errors of Go: panics, fatal errors, data races, failed tests, and what the compiler and vet say.
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

const STAMP = "(?:\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)? )?";

const HEAD = new RegExp(
  `^(?:${STAMP}(?:\\S+: )?(?:panic: |panic serving )|fatal error: |runtime: goroutine stack exceeds|unexpected fault address)`,
);

const CALL =
  /^\s*(?:created by )?[\w./\-*()[\]·{}%~…,]+(?:\(.*\)| in goroutine \d+)$/;
const PLACE = /^\s+(\S+\.(?:go|s)):(\d+)(?: \+0x[0-9a-f]+)?$/;
const GOROUTINE = /^goroutine \d+ (?:gp=\S+ )?(?:m=\S+ )?(?:mp=\S+ )?\[/;
const MORE =
  /^(?:\[signal |\tpanic: |panic: |runtime|stack: |sp=|fatal error: |goroutine running on |\.\.\.|r\w{1,2}\s+0x|[cfg]s\s+0x|PC=)/;

/** Panics and fatal errors. */
export const goErrors: Recogniser = {
  opens(text) {
    return HEAD.test(text) ? 0 : -1;
  },
  belongs(text, block) {
    if (block.phase === "end") return false;
    if (GOROUTINE.test(text)) {
      block.phase = "stack";
      return true;
    }
    if (isBlank(text)) return true;
    if (/^exit status \d+$/.test(text)) {
      block.phase = "end";
      return block.lines.length > 1;
    }
    if (MORE.test(text)) {
      // Another panic after a stack is another panic.
      return block.phase === "" || !HEAD.test(text) ||
        !block.lines.some((line) => PLACE.test(line));
    }
    if (block.phase === "") return isIndented(text);
    return CALL.test(text) || PLACE.test(text);
  },
  read(lines) {
    // What was thrown last stands last, below what it replaced.
    const again = lines.findLast((line) => line.startsWith("\tpanic: "));
    const head = (again ?? lines[0]!).replace(new RegExp(`^${STAMP}`), "");
    return {
      kind: "go",
      message: head.trim().replace(/ \[recovered.*\]$/, ""),
      frames: goFrames(lines),
      lines,
    };
  },
};

const LOGGED =
  /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(?:\.\d+)? (?:(\S+\.go):(\d+): )?(.+)$/;

/** `log.Fatal`: its line looks like any other; that the program ended by it shows in the next one, from `go run`. */
export const goFatalErrors: Recogniser = {
  opens(text, before) {
    return /^exit status [1-9]/.test(text) && LOGGED.test(before.at(-1) ?? "")
      ? 1
      : -1;
  },
  belongs() {
    return false;
  },
  read(lines) {
    const [, file, line, message] = LOGGED.exec(lines[0]!) ?? [];
    return {
      kind: "go",
      message: message ?? lines[0]!,
      frames: file === undefined ? [] : [{
        file,
        line: numberOf(line),
        column: null,
        function: null,
        at: 0,
      }],
      lines,
    };
  },
};

/** What the race detector says. */
export const goRaces: Recogniser = {
  opens(text, before) {
    if (text !== "WARNING: DATA RACE") return -1;
    return /^={10,}$/.test(before.at(-1) ?? "") ? 1 : 0;
  },
  belongs(text, block) {
    if (block.phase === "end") return false;
    if (/^={10,}$/.test(text)) block.phase = "end";
    return block.phase === "end" || isBlank(text) || isIndented(text) ||
      /^(?:Previous |Goroutine |Read |Write )/.test(text);
  },
  read(lines) {
    return { kind: "go", message: "DATA RACE", frames: goFrames(lines), lines };
  },
};

const FAILED = /^\s*--- FAIL: (\S+)/;
const RUN = /^=== RUN\s+(\S+)$/;

/** Failed tests. */
export const goTests: Recogniser = {
  opens(text, before) {
    const name = FAILED.exec(text)?.[1];
    if (name === undefined) return -1;
    // With -v all that a test says stands above its verdict.
    const run = before.findLastIndex((line) => RUN.exec(line)?.[1] === name);
    return run === -1 ? 0 : before.length - run;
  },
  belongs(text) {
    return isIndented(text) && !/^\s*--- (?:FAIL|PASS|SKIP)/.test(text);
  },
  read(lines) {
    // What was only logged stands before it.
    const at = lines.findLastIndex((line) =>
      /^\s+\S+_test\.go:\d+: /.test(line)
    );
    // A parent of failed tests says nothing of its own.
    if (at === -1) return null;
    const match = /^\s+(\S+):(\d+): (.*)$/.exec(lines[at]!);
    const name =
      lines.slice(0, at).map((line) =>
        (RUN.exec(line) ?? FAILED.exec(line))?.[1]
      ).findLast((found) => found !== undefined) ?? "";
    return {
      kind: "go",
      message: `${name}: ${match?.[3] ?? ""}`,
      frames: [{
        file: match?.[1] ?? "",
        line: numberOf(match?.[2]),
        column: null,
        function: name,
        at,
      }],
      lines,
      byLine: true,
    };
  },
};

const BUILD =
  /^(?:vet: )?((?:\.{0,2}\/)?[\w./@+-]+\.go):(\d+):(?:(\d+):)? (\S.*)$/;

/** What the compiler says: one error per line. */
export const goBuildErrors: Recogniser = {
  opens(text, before) {
    if (!text.includes(".go:")) return -1;
    const match = BUILD.exec(text);
    if (match === null || match[3] === undefined) return -1;
    return /^# \S+/.test(before.at(-1) ?? "") ? 1 : 0;
  },
  belongs(text) {
    return text.startsWith("\t");
  },
  read(lines) {
    const at = lines.findIndex((line) => BUILD.test(line));
    const match = BUILD.exec(lines[at] ?? "");
    if (match === null || match[4] === "too many errors") return null;
    return {
      kind: "go build",
      message: match[4]!,
      frames: [{
        file: match[1]!,
        line: numberOf(match[2]),
        column: numberOf(match[3]),
        function: null,
        at,
      }],
      lines: lines.slice(at),
      byLine: true,
    } satisfies ErrorFacts;
  },
};

/** Packages that import each other. */
export const goCycles: Recogniser = {
  opens(text, before) {
    if (!/^\timports .*: import cycle not allowed/.test(text)) return -1;
    const head = findBack(before, /^package \S+$/, 24);
    return head === -1 ? 0 : before.length - head;
  },
  belongs() {
    return false;
  },
  read(lines) {
    const name = /^package (\S+)$/.exec(lines[0]!)?.[1];
    return {
      kind: "go build",
      message: `import cycle not allowed${
        name === undefined ? "" : `: ${name}`
      }`,
      frames: [],
      lines,
    };
  },
};

/** The frames of a stack, innermost first. */
export function goFrames(lines: readonly string[]): RawFrame[] {
  const frames: RawFrame[] = [];
  for (const [at, text] of lines.entries()) {
    const match = PLACE.exec(text);
    if (match === null) continue;
    frames.push({
      file: match[1]!,
      line: numberOf(match[2]),
      column: null,
      function: functionName(lines[at - 1] ?? ""),
      at,
    });
  }
  return frames;
}

/** `main.(*Shop).total(0xc000012345, 0x2)` → `main.(*Shop).total` */
function functionName(call: string): string | null {
  const name = call.trim()
    .replace(/^created by /, "").replace(/ in goroutine \d+$/, "")
    .replace(/\([^()]*\)$/, "");
  return name === "" ? null : name;
}
