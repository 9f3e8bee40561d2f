/**
 * Every recogniser, the most particular first.
 *
 * @module
 */

import type { Recogniser } from "../error_block.ts";
import {
  esbuildErrors,
  nextErrors,
  viteErrors,
  webpackErrors,
} from "./bundler_errors.ts";
import {
  goBuildErrors,
  goCycles,
  goErrors,
  goFatalErrors,
  goRaces,
  goTests,
} from "./go_errors.ts";
import { javaErrors } from "./java_errors.ts";
import { bunTestErrors, javascriptErrors } from "./javascript_errors.ts";
import { npmErrors } from "./npm_errors.ts";
import { phpErrors } from "./php_errors.ts";
import { pytestErrors, pytestLines, pytestSummary } from "./pytest_errors.ts";
import {
  pythonErrors,
  pythonSyntaxErrors,
  richErrors,
} from "./python_errors.ts";
import { rubyErrors, rubySyntaxErrors, rubyTests } from "./ruby_errors.ts";
import {
  cargoErrors,
  rustCauses,
  rustErrors,
  rustOverflows,
} from "./rust_errors.ts";
import { serverErrors } from "./server_errors.ts";
import { denoCheckErrors, typescriptErrors } from "./typescript_errors.ts";

/** See the module. */
export const ALL_RECOGNISERS: readonly Recogniser[] = [
  javaErrors,
  javascriptErrors,
  bunTestErrors,
  pythonErrors,
  pythonSyntaxErrors,
  richErrors,
  typescriptErrors,
  denoCheckErrors,
  viteErrors,
  nextErrors,
  esbuildErrors,
  webpackErrors,
  cargoErrors,
  rustErrors,
  rustCauses,
  rustOverflows,
  goErrors,
  goFatalErrors,
  goRaces,
  goTests,
  goBuildErrors,
  goCycles,
  phpErrors,
  rubyErrors,
  rubySyntaxErrors,
  rubyTests,
  pytestErrors,
  pytestSummary,
  pytestLines,
  npmErrors,
  serverErrors,
];

/**
 * What every line contains that opens a block or is an error of its own. Most lines of most logs have nothing of it, so
 * it decides how fast a digest is.
 */
export const INTERESTING =
  /[Ee]rr|ERR|[Ff]atal|FATAL|[Pp]anic|PANIC|CRIT|[Cc]ritical|[Ss]evere|SEVERE|[Ee]xception|[Rr]eject|Traceback|[Ff]ail|FAIL|Uncaught|^\s+at |^(?:Node\.js|Bun) v|^ {2}File "|\.rb:\d|^error when starting|^exit status |import cycle|^\s+\d+\) |^-e:\d|\.go:\d|in use$|DATA RACE|^thread '|^---- |^(?:PHP +)?Stack trace:|^\s+-->|^___|^=+ short|⨯|✘|goroutine stack|fault\b|not found$|No such file|[Dd]enied$|variable$|Segmentation|Aborted|Killed|refused$|in use$|on device$|open files$|^Caused by:|^E {3}|\*\*\*|LIFECYCLE|(?:Invalid|NotFound|Missing) \(|^[EF](?:\d{4}|,) |"(?:level|severity|lvl)":\s*[56]|[Ee]merg|[Aa]lert/;
