/**
 * Single lines that say of themselves that they are an error: JSON, logfmt, the usual layouts of loggers, compilers.
 *
 * @module
 */

import {
  type ErrorFacts,
  isIndented,
  numberOf,
  type RawFrame,
} from "../error_block.ts";
import { goFrames } from "./go_errors.ts";
import { isJavaFrame, javaErrors } from "./java_errors.ts";
import { readJavascript } from "./javascript_errors.ts";
import { readTraceback } from "./python_errors.ts";
import { isV8Frame } from "./v8_frame.ts";

/** Lines that only count or repeat what was told before them. */
const SUMMARY =
  /\bFound \d+ errors?\b|^error: (?:could not compile|aborting due to|Type checking failed|test failed, to rerun|Test failed$)|^\W*\d+ errors?\b|^FAIL(?:\s|$)|^\W*(?:✖|×) \d+ problems?|\b(?:no|0) errors?\b|\berrors?: (?:none|null|nil|undefined|no|false|-)$|^Some errors have detailed|compiled with \d+ errors?|^\W*Build failed in |^error during build:?$|^Error occurred prerendering|\[ERROR\] (?:Re-run Maven|To see the full)/i;

/** Lines that say only that something else has failed. */
const CONSEQUENCE =
  /^(?:g?make(?:\[\d+\])?: \*\*\*|error: script "|error Command failed|\s*ELIFECYCLE|error: Recipe |error: process didn't exit successfully|Error: Process completed with exit code)/;

const LEVEL_WORD =
  "error|err|fatal|critical|crit|alert|emerg|emergency|panic|severe";

const LEVELS = new RegExp(
  // logfmt
  `(?:^|[\\s,{|])(?:level|lvl|severity|levelname)="?(?:${LEVEL_WORD})\\b` +
    // [ERROR], (ERROR), |ERROR|
    `|^[^a-z"'\`]{0,60}[\\[(|<](?:${LEVEL_WORD})\\s*(?:[\\])|>:/])`,
  "i",
);

/** ERROR in capitals, after times, names and punctuation. */
const CAPITALS =
  /^(?:[^A-Za-z]{0,60}|\S+:? ?[-–|]?[ \t]|[\d\-T:.,Z+/ ]+\S* \S+ +)(?:ERROR|FATAL|CRITICAL|SEVERE|PANIC|CRIT|EMERG)(?=[\s:|,\])[(/-]|$)/;

const LABEL =
  /^\s{0,3}(?:[\w./-]+: )?(?:(?:fatal|syntax|parse|runtime|build|compile) |[A-Z][a-z]+ (?=Error))?(?:[Ee]rror|[Ff]atal|ERR!|[Pp]anic):? ?(?:\[\w+\])?(?:: | - |\b(?=[A-Z]))/;

const EXCEPTION =
  /^(?:[\d\-T:.,Z+/ [\]]*\s)?(?:Uncaught |Unhandled )?(?:[\w$]+(?:\.|::|\\))*[A-Z][\w$]*(?:Error|Exception)(?: \[\w+\])?(?:: |$)/;

const TERSE =
  /^[EF]\d{4} \d\d:\d\d:|^[EF], \[\d|^\S*sh: .*: (?:command )?not found$|^Segmentation fault|^\(?node:\d+\)? UnhandledPromiseRejection|\bUnhandled(?:Promise)? ?[Rr]ejection\b|^Uncaught /;

/** `path:line:column: error: text` of gcc, javac and their like. */
const COMPILER = /^(\S[^:]*\.\w+):(\d+):(?:(\d+):)? (?:fatal )?error: (.+)$/;

const FAILED =
  "(?:command )?not found|No such file or directory|Permission denied|unbound variable|parameter not set|Is a directory|Not a directory|No space left on device|Read-only file system|Too many open files|[Ss]yntax error.*|Address already in use|Connection refused|cannot execute.*";

/** What a shell says about a line of its script. */
const SHELL = new RegExp(
  `^(\\S+): line (\\d+): (.*(?:${FAILED})|\\s*\\d+ (?:Aborted|Segmentation fault|Killed|Bus error|Illegal instruction|Floating point exception)\\b.*)$`,
);

/** What small programs say. */
const PROGRAM = new RegExp(`^[\\w./-]+: .*: (?:${FAILED})$`);

/** Where zap was called, between tabs. */
const CALLER = /\t(\S+\.\w+):(\d+)\t/;

const JSON_LEVEL =
  /"(?:level|lvl|severity|levelname|log\.level|@l)"\s*:\s*(?:"(?:error|err|fatal|critical|crit|alert|emerg\w*|panic|severe)"|[56]\d\b)/i;

/** What a line says; null if it claims no error. Microseconds for a JSON line, else less than one. */
export function readPlain(text: string): ErrorFacts | null {
  const first = text.charCodeAt(0);
  if (first === 123 && JSON_LEVEL.test(text)) return readJson(text);
  const head = text.length > 400 ? text.slice(0, 400) : text;
  if (!claimsError(head) || SUMMARY.test(head)) return null;
  const shell = SHELL.exec(head);
  if (shell !== null) {
    const [, file = "", line, message = ""] = shell;
    return {
      kind: "log",
      message: message.replace(/^\s*\d+ (?=[A-Z])/, "").replace(/\s+/g, " "),
      frames: [placeOf(file, line)],
      lines: [text],
    };
  }
  const compiler = COMPILER.exec(head);
  if (compiler !== null) {
    const [, file = "", line, column, message = ""] = compiler;
    return {
      kind: /\.(?:java|kt)$/.test(file) ? "java" : "log",
      message,
      frames: [{
        file,
        line: numberOf(line),
        column: numberOf(column),
        function: null,
        at: 0,
      }],
      lines: [text],
      byLine: true,
    };
  }
  const caller = CALLER.exec(head);
  return {
    kind: "log",
    message: plainMessage(head),
    frames: caller === null ? [] : [placeOf(caller[1]!, caller[2])],
    lines: [text],
    isWeak: CONSEQUENCE.test(head),
  };
}

function placeOf(file: string, line: string | undefined): RawFrame {
  return { file, line: numberOf(line), column: null, function: null, at: 0 };
}

/**
 * Whether a line alone is to be a group of the digest. Not the same as `levelOf` of `log_level.ts`, which also gives a
 * level to lines that begin or sum up what other recognisers read as a block (`FAILED | …`, `--- FAIL:`, `✖ failing
 * tests:`, `FAILED (failures=1)`), to the `fatal:` of text that is only quoted, as in `git log`, and to what a passing
 * test logs, but none to prose such as `Usage Error`: with it in place of these patterns captures of real tools had
 * groups that are no errors, and missed some that are.
 */
function claimsError(head: string): boolean {
  return LEVELS.test(head) || CAPITALS.test(head) || LABEL.test(head) ||
    EXCEPTION.test(head) || TERSE.test(head) || COMPILER.test(head) ||
    CONSEQUENCE.test(head) || SHELL.test(head) || PROGRAM.test(head);
}

/** A line without the time of its logger. */
function plainMessage(head: string): string {
  const rest = head.trim().replace(
    /^(?:[[(]?\d{4}[-/]\d\d[-/]\d\d[T ]?[\d:.,]*(?:Z|[+-]\d\d:?\d\d)?[\])]?|\[?\d\d?:\d\d:\d\d(?:[.,]\d+)?(?: [AP]M)?\]?)\s*[-|]?\s*/,
    "",
  );
  const message = /(?:^|\s)msg=(?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(rest);
  const error = /(?:^|\s)(?:err|error)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(
    rest,
  );
  const said = [message?.[1] ?? message?.[2], error?.[1] ?? error?.[2]]
    .filter((part) => part !== undefined);
  return said.length === 0 ? rest : said.join(": ");
}

/** A stack in a field, whoever made it. */
function readStack(lines: readonly string[]): ErrorFacts | null {
  if (lines.some(isJavaFrame)) return javaErrors.read(lines);
  return readTraceback(lines) ??
    (lines.some(isV8Frame) ? readJavascript(lines) : null);
}

/** Where a logger was called, if it says so: an object of `file` and `line`, or `file:line`. */
function sourceOf(value: unknown): RawFrame[] {
  const [, path, number] = typeof value === "string"
    ? /^(\S+?):(\d+)$/.exec(value) ?? []
    : [];
  const file = path ?? fieldOf(value, "file");
  const line = number ?? fieldOf(value, "line");
  const name = fieldOf(value, "function");
  if (typeof file !== "string") return [];
  return [{
    file,
    line: Number.isSafeInteger(Number(line)) ? Number(line) : null,
    column: null,
    function: typeof name === "string" ? name : null,
    at: 0,
  }];
}

type Json = Readonly<Record<string, unknown>>;

/** A structured line; the stack in it, if it has one, tells more than the line. */
function readJson(text: string): ErrorFacts | null {
  const record = parsed(text);
  if (record === null) return null;
  const error = record["err"] ?? record["error"] ?? record["exception"];
  const stack = firstText([
    fieldOf(error, "stack"),
    record["stack"],
    record["stacktrace"],
    record["stack_trace"],
    record["exc_info"],
    fieldOf(error, "stacktrace"),
    error,
  ], (value) => value.includes("\n"));
  const own = firstText([record["msg"], record["message"], record["event"]]);
  const cause = firstText([fieldOf(error, "message"), error]);
  const lines = stack?.split("\n", 200) ?? [];
  const facts = lines.length < 2 ? null : readStack(lines);
  if (facts !== null) {
    const rest = own === null || facts.message.includes(own) ? [] : [own];
    return {
      ...facts,
      lines: [...rest, ...lines],
      frames: facts.frames.map((frame) => ({
        ...frame,
        at: frame.at + rest.length,
      })),
      marks: facts.marks?.map((mark) => mark + rest.length) ?? [],
    };
  }
  const parts = [own, cause !== null && cause !== own ? cause : null]
    .filter((part) => part !== null);
  const message = parts.length === 0 ? text : parts.join(": ");
  return {
    kind: "log",
    message: message.split("\n", 1)[0]!,
    frames: [
      ...goFrames(lines),
      ...sourceOf(record["source"] ?? record["caller"]),
    ].map((frame) => ({ ...frame, at: 0 })),
    lines: [text],
  };
}

function parsed(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value as Json | null : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Json)[key]
    : undefined;
}

function firstText(
  values: readonly unknown[],
  isWanted: (value: string) => boolean = () => true,
): string | null {
  for (const value of values) {
    if (typeof value === "string" && value !== "" && isWanted(value)) {
      return value;
    }
  }
  return null;
}

/** Whether a line goes on with what the plain error before it says. */
export function continuesPlain(text: string): boolean {
  return isIndented(text) || /^[}\])]/.test(text);
}
