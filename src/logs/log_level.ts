/**
 * The level that a line of output claims for itself: structured lines, the usual layouts of loggers, and what compilers,
 * package managers and dying programs print.
 *
 * A word alone is no level: "0 errors", "error_page" or "GET /error 404" have none. A level stands where loggers put it,
 * after nothing but times, names and punctuation.
 *
 * @module
 */

import { levelRank, type LogLevel } from "../domain/log_levels.ts";
import { jsonLevel } from "./json_level.ts";
import { levelOfWord } from "./level_word.ts";

/** How far into a line without structure its level is looked for, in characters. */
const HEAD_LENGTH = 400;

/** Most words before a level. */
const MAX_HEADER_WORDS = 14;

/** What every line that is no JSON and has a level contains, except for those of {@linkcode TERSE}. */
const HINT =
  /err|warn|inf|deb|deprec|dbg|dbug|trac|trc|fat|ftl|panic|crit|fail|notice|emerg|alert|severe|except|Caused|verb|wrn|LOG:|reject|FINE|success|silly|[*]{3} |fault|LIFECYCLE|[⚠⨯✖✘]|(?:level|lvl|severity)=\d/i;

/** Formats with a single letter or number for the level. */
const TERSE =
  /^(?:<(\d{1,3})>|([IWEF])\d{4} \d\d:\d\d:|([DIWEFA]), \[\d|(E) {3}\S|\d+:[A-Z] .{10,30}? ([#*.-]) )/;

const LETTERS: Readonly<Record<string, LogLevel>> = {
  D: "debug",
  I: "info",
  W: "warn",
  E: "error",
  F: "fatal",
  A: "info",
  // Redis.
  "#": "warn",
  "*": "info",
  "-": "debug",
  ".": "debug",
};

const LOGFMT =
  /(?:^|[\s,{|])(?:level|lvl|severity|log\.level|log_level|loglevel|levelname)=(?:"([\w+-]{1,16})"|([\w+-]{1,16}))(?=[\s,;}|]|$)/;

/** In small letters, in capitals, and with one at the start. */
const ANY_CASE = (words: string): string =>
  words.split("|").flatMap((word) => spellings(word)).join("|");

const WORDS = "trace|trce|trc|silly|debug|dbug|debg|dbg|verbose|info|inf|" +
  "notice|success|warning|warn|wrn|error|erro|err|fail|critical|crit|fatal|" +
  "fata|ftl|severe|dpanic|panic|alert|emergency|emerg";

/** `[error]`, `[core:error]`, `[10:00:00 ERR]`, `[Server thread/INFO]`, `[…: ERROR/MainProcess]`. */
const BRACKETED = new RegExp(
  `\\[\\s*(?:[\\w .,:+-]{0,48}[ :/])?(${ANY_CASE(WORDS)})(?:/[\\w-]+)?\\s*\\]`,
);

/** A word in capitals where loggers put it. */
const CAPITALS = new RegExp(
  `(?<![\\w"'=$-])(?:(${WORDS.toUpperCase()}|FINEST|FINER|FINE)(?=[\\s|,;\\])[(/]|$)|` +
    `(${WORDS.toUpperCase()}|LOG)(?=:))`,
);

/** `error: x`, `Warning: x`, `fatal error: x`; not `error: null`, which is a property. */
const LABEL = new RegExp(
  `(?<![\\w./"'=$-])(${ANY_CASE(WORDS)})(?: error)?:(?=\\s|$|\\w)` +
    `(?!\\s*(?:null|undefined|none|nil|false|0|''|""|\\[\\]|\\{\\}),?\\s*$)`,
);

/** `error TS2322`, `error[E0308]`, `warning CS0168`. */
const COMPILER = /\b(error|warning)(?:\[[A-Z]\w*\d+\]|\s+[A-Z]{1,4}\d{3,5}\b)/;

/** `error Command failed`, `3:5  error  'x' is not used`, `- warn ./app`. */
const BARE =
  /^\s*(?:- |\d+:\d+\s+)?(error|warning|warn|fatal|info|debug)(?=\s+(?:[A-Z./-]|\s\S)|\s{2})/;

const MANAGER = /^(?:npm|pnpm|yarn) (ERR|error|WARN|warn|notice|info|verb)\b/;

const WORKFLOW = /^(?:::|##\[)(error|warning|notice|debug)\b/;

const PHP =
  /\bPHP (?:(Fatal|Parse|Recoverable|Core|Compile)|(Warning|Deprecated)|(Notice))\b/;

/** The first line of an exception. */
const EXCEPTION =
  /(?<![\w./"'=$-])(?:[\w$]+(?:\.|::|\\))*(?:[A-Z][\w$]*)?(?:Error|Exception)(?: \[\w+\]| \([^()]{0,80}\))?(?::\s|:?$)/;

const WARNING = /(?<![\w./"'=$-])[A-Z]\w*Warning: /;

const FATAL =
  /^(?:thread '.*' (?:\(\d+\) )?panicked at |(?:\S+: )*Segmentation fault\b)/;

const ERRORS =
  /^\s*(?:Traceback \(most recent call last\)|Exception in thread |(?:FAILED|FAIL)\s+\S|--- FAIL: |g?make(?:\[\d+\])?: \*\*\* |ERR_[A-Z_]+\s|ELIFECYCLE\b|Caused by: |[⨯✖✘] )|\b(?:Uncaught|Unhandled|UnhandledPromise) ?(?:\(in promise\) )?(?:\w+ )?(?:\w*(?:Error|Exception|Rejection)\b|exception|error|rejection|'error')|\bInternal server error:/;

/**
 * The level of a line; null if it claims none. About a microsecond.
 *
 * @param text The line without its time and without control sequences.
 */
export function levelOf(text: string): LogLevel | null {
  const structured = jsonLevel(text);
  if (structured !== undefined) return structured;
  const head = text.length > HEAD_LENGTH ? text.slice(0, HEAD_LENGTH) : text;
  return terseLevel(head) ?? (HINT.test(head) ? wordedLevel(head) : null);
}

/** Whether a line is at least so serious. */
export function isAtLeast(text: string, level: LogLevel): boolean {
  const own = levelOf(text);
  return own !== null && levelRank(own) >= levelRank(level);
}

/**
 * Every line of at least this level matches one of these somewhere, for a search through many lines at once; null if
 * nearly every line would. Several, because V8 runs each several times faster than all in one.
 */
export function levelHints(level: LogLevel): readonly RegExp[] | null {
  if (levelRank(level) < levelRank("warn")) return null;
  const isWarning = level === "warn";
  const words = isWarning ? [...BAD_WORDS, ...WARNING_WORDS] : BAD_WORDS;
  const terse = isWarning ? [...BAD_SIGNS, "⚠", " # "] : BAD_SIGNS;
  return [
    new RegExp(words.flatMap(spellings).join("|"), "g"),
    new RegExp(terse.join("|"), "g"),
  ];
}

const BAD_WORDS =
  ("err fata ftl panic crit fail emerg alert severe exception " +
    "rejection traceback caused segmentation php").split(" ");

const WARNING_WORDS = "warn wrn deprecat".split(" ");

const BAD_SIGNS = [
  "[EFW](?:\\d{4} \\d\\d:|, \\[\\d| {3}\\S)",
  "<\\d{1,3}>",
  '"s"\\s*:\\s*"[EFW]',
  '(?:l|y|no)[\'"]?\\s*[:=]\\s*"?(?:\\d|[efwcEFWC]")',
  "[⨯✖✘]",
  "[*]{3} ",
  "ELIFECYCLE",
];

/** How a word is written; a search that minds no case is many times slower. */
function spellings(word: string): string[] {
  const upper = word.toUpperCase();
  return [word, upper, (upper[0] ?? "") + word.slice(1)];
}

function terseLevel(head: string): LogLevel | null {
  const match = TERSE.exec(head);
  if (match === null) return null;
  const [, priority, ...letters] = match;
  if (priority !== undefined) return syslogLevel(Number(priority));
  const letter = letters.find((each) => each !== undefined) ?? "";
  return LETTERS[letter] ?? null;
}

function syslogLevel(priority: number): LogLevel | null {
  if (priority > 191) return null;
  const levels: readonly LogLevel[] = [
    "fatal",
    "fatal",
    "fatal",
    "error",
    "warn",
    "info",
    "info",
    "debug",
  ];
  return levels[priority % 8] ?? null;
}

function wordedLevel(head: string): LogLevel | null {
  const logfmt = LOGFMT.exec(head);
  if (logfmt !== null) {
    const level = levelOfWord(logfmt[1] ?? logfmt[2] ?? "");
    if (level !== null) return level;
  }
  return labelled(head, BRACKETED, 1) ?? labelled(head, CAPITALS, 0) ??
    labelled(head, LABEL, 0) ?? programLevel(head);
}

/** The level that a pattern finds, if only what belongs to a logger's header stands before it. */
function labelled(
  head: string,
  pattern: RegExp,
  plainWords: number,
): LogLevel | null {
  const match = pattern.exec(head);
  if (match === null) return null;
  const before = head.slice(0, match.index);
  const word = match[1] ?? match[2] ?? "";
  // A property of an object that is printed over several lines.
  if (pattern === LABEL && /^\s+$/.test(before) && /^[a-z]/.test(word)) {
    return null;
  }
  // The HTTP method.
  if (word === "TRACE" && head.startsWith(" /", match.index + 5)) return null;
  if (before !== "" && !isHeader(before, plainWords)) return null;
  return /fatal error/i.test(match[0]) ? "fatal" : levelOfWord(word);
}

/** A word of a header: a number, a time, a name with a dot, colon or slash, a month, anything without letters. */
const HEADER_WORD =
  /^(?:[[(<]?\d[\w:.,+/#-]*|[[(<]?(?:AM|PM|UTC|GMT|CES?T|[A-Z][a-z]{2})|[[(<]?[\w$@-]*[.:/\\][\w.:$@/#\\-]*|[^\p{L}]+)[\])>:,|]*$/u;

/** A word between these belongs to a header. */
const SEPARATOR = /^[-–—|:]+$/;

function isHeader(before: string, plainWords: number): boolean {
  if (!/\p{L}/u.test(before)) return true;
  const words = before.replaceAll(/\[[^[\]]*\]|\([^()]*\)/g, " ").trim()
    .split(/\s+/);
  if (words.length > MAX_HEADER_WORDS) return false;
  let left = plainWords;
  return words.every((word, index) =>
    word === "" || HEADER_WORD.test(word) ||
    (/^[\w./@-]+$/.test(word) &&
      (SEPARATOR.test(words[index + 1] ?? "") ||
        SEPARATOR.test(words[index - 1] ?? "") || left-- > 0))
  );
}

/** What is told by the way in which well-known programs speak. */
function programLevel(head: string): LogLevel | null {
  const compiler = COMPILER.exec(head) ?? BARE.exec(head) ??
    MANAGER.exec(head) ?? WORKFLOW.exec(head);
  if (compiler !== null) return levelOfWord(compiler[1] ?? "");
  const php = PHP.exec(head);
  if (php !== null) return php[1] ? "fatal" : php[2] ? "warn" : "info";
  if (FATAL.test(head)) return "fatal";
  if (ERRORS.test(head)) return "error";
  if (isAfterHeader(head, EXCEPTION)) return "error";
  return isAfterHeader(head, WARNING) || /^\s*⚠/.test(head) ? "warn" : null;
}

function isAfterHeader(head: string, pattern: RegExp): boolean {
  const match = pattern.exec(head);
  return match !== null && isHeader(head.slice(0, match.index), 0);
}
