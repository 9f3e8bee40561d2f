/**
 * What package managers say when a script has failed. Mostly it only repeats that, and is weak.
 *
 * @module
 */

import type { Recogniser } from "../error_block.ts";

const LINE =
  /^(?:npm (?:ERR!|error)|\s*\[?ELIFECYCLE\b|error Command failed with exit code|\s*ERR_PNPM_|info Visit https:\/\/yarnpkg)/;

const CONSEQUENCE =
  /ELIFECYCLE|Lifecycle script|[Cc]ommand failed|Exit status|exited with code|ERR_PNPM_RECURSIVE/;

const SAYS_NOTHING =
  /^(?:code |errno |syscall |path |dest |workspace |location |signal |A complete log|In addition|\s*$|Please |command )/;

/** See the module. */
export const npmErrors: Recogniser = {
  opens(text) {
    return LINE.test(text) ? 0 : -1;
  },
  belongs(text) {
    return LINE.test(text);
  },
  read(lines) {
    const texts = lines.map((line) =>
      line.replace(/^npm (?:ERR!|error) ?/, "").trim()
    );
    const message = texts.find((text) => !SAYS_NOTHING.test(text)) ?? texts[0]!;
    return {
      kind: "npm",
      message: message === "" ? lines[0]! : message,
      frames: [],
      lines,
      isWeak: lines.some((line) => CONSEQUENCE.test(line)),
    };
  },
};
