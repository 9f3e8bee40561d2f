/**
 * Finds secrets by how they look and by what stands before them, whoever's they are.
 *
 * One regular expression finds the few places where a secret may be; what is there is looked at by hand, each character
 * a bounded number of times. So the time is linear in the length, whatever the text.
 *
 * @module
 */

import { isEscaped, type Ranges } from "./ranges.ts";
import { isSecretName, MAX_SECRET_NAME_LENGTH } from "./secret_name.ts";
import { findTokens, mayHoldToken } from "./token_shapes.ts";

/** Longest `user:password` in an address. */
const MAX_ADDRESS_LENGTH = 512;

/** Longest `user:password` in base64. */
const MAX_BASIC_LENGTH = 1024;

/** How far before `-u` the name of the program may stand. */
const MAX_LOOK_BACK = 256;

/** Words of names, and of schemes before credentials. In two parts, see {@linkcode HINTS}. */
const WORDS = [
  ["token", "secret", "credential", "bearer"].map(anyCase),
  [...["pass", "pwd", "key", "auth", "dsn"].map(anyCase), "[Bb]asic"],
] as const;

/** Where a secret may be that is known by what stands before it. */
const TRIGGERS = new RegExp(
  ["eyJ", "://", " -u ", " --user[ =]", ...WORDS.flat()].join("|"),
  "g",
);

/**
 * One of these is found where {@linkcode TRIGGERS} finds something. Several, and none that begins with a blank, because
 * V8 then runs all of them five times faster: 0.8 GB/s.
 */
const HINTS = [
  ...WORDS.map((words) => words.join("|")),
  "eyJ|://|-u |--user[ =]",
].map((pattern) => new RegExp(pattern));

function anyCase(word: string): string {
  const [first = "", ...rest] = word;
  const lower = rest.join("");
  // As words are written; MiXeD case is not.
  return `[${first}${first.toUpperCase()}](?:${lower}|${lower.toUpperCase()})`;
}

/** Whether {@linkcode findShapes} would find anything, or nearly. */
export function mayHoldShape(text: string): boolean {
  return HINTS.some((hint) => hint.test(text)) || mayHoldToken(text);
}

/** Adds where secrets are. */
export function findShapes(text: string, ranges: Ranges): void {
  findTokens(text, ranges);
  const scan: Scan = {
    text,
    ranges,
    noDotBefore: 0,
    noNameBefore: 0,
    noBasicBefore: 0,
  };
  TRIGGERS.lastIndex = 0;
  for (
    let hit = TRIGGERS.exec(text);
    hit !== null;
    hit = TRIGGERS.exec(text)
  ) {
    const next = look(scan, hit[0], hit.index);
    TRIGGERS.lastIndex = Math.max(next, hit.index + 1);
  }
}

interface Scan {
  readonly text: string;
  readonly ranges: Ranges;
  /** No JWT begins before this offset. */
  noDotBefore: number;
  /** The name that ends there is none of a secret. */
  noNameBefore: number;
  /** The base64 that ends there is none of a user with a password. */
  noBasicBefore: number;
}

/** Looks at one place. @returns Where to go on. */
function look(scan: Scan, found: string, at: number): number {
  const end = at + found.length;
  switch (found) {
    case "eyJ":
      return lookAtJwt(scan, at);
    case "://":
      return lookAtAddress(scan, end);
    case " -u ":
    case " --user ":
    case " --user=":
      return lookAtCurl(scan, at, end);
  }
  const word = found.toLowerCase();
  if (word === "bearer" || word === "basic") {
    return lookAtScheme(scan, word, end);
  }
  return lookAtName(scan, at, end);
}

/** Three parts in base64url, or five when encrypted. */
function lookAtJwt(scan: Scan, at: number): number {
  const { text, ranges } = scan;
  if (at < scan.noDotBefore) return at + 3;
  const head = endOfRun(text, at);
  if (text[head] !== "." || head - at < 10) {
    scan.noDotBefore = head;
    return at + 3;
  }
  let end = endOfRun(text, head + 1);
  if (end - head < 8) return at + 3;
  for (let part = 3; part <= 5 && text[end] === "."; part++) {
    end = endOfRun(text, end + 1);
  }
  ranges.push(at, end);
  return end;
}

function endOfRun(text: string, from: number): number {
  let at = from;
  while (at < text.length && isTokenLetter(text.charCodeAt(at))) at++;
  return at;
}

const AUTHORITY_END = /[/?#\s"'`<>\\]|$/g;
const ADDRESS_END = /[\s"'`<>]|$/g;

/** `user:password@` before a host. */
function lookAtAddress({ text, ranges }: Scan, start: number): number {
  const ahead = text.slice(start, start + MAX_ADDRESS_LENGTH);
  const authority = ahead.slice(0, indexOf(ahead, AUTHORITY_END));
  let at = authority.lastIndexOf("@");
  const colon = authority.indexOf(":");
  // A password with a slash that nobody encoded. What follows a real host's colon is its port.
  if (at === -1 && colon !== -1 && !/^\d*$/.test(authority.slice(colon + 1))) {
    at = ahead.slice(0, indexOf(ahead, ADDRESS_END)).indexOf("@");
  }
  if (at <= 0) return start;
  if (colon === -1 || colon > at) {
    // A token in place of the user, as git has it.
    if (at < 16 || !/\d/.test(ahead.slice(0, at))) return start;
    ranges.push(start, start + at);
    return start + at;
  }
  hide(ranges, text, start + colon + 1, start + at);
  return start + at;
}

function lookAtCurl({ text, ranges }: Scan, at: number, from: number): number {
  const before = text.slice(Math.max(0, at - MAX_LOOK_BACK), at);
  if (!/\b(?:curl|wget|http)\b/.test(before)) return from;
  const quote = text[from] === '"' || text[from] === "'" ? text[from]! : "";
  const start = from + quote.length;
  const ahead = text.slice(start, start + MAX_ADDRESS_LENGTH);
  const end = quote === ""
    ? indexOf(ahead, ADDRESS_END)
    : closing(ahead, 0, quote);
  const colon = ahead.indexOf(":");
  if (colon === -1 || colon >= end) return from;
  hide(ranges, text, start + colon + 1, start + end);
  return start + end;
}

const SPACES = /(?: |%20|\+){1,3}/y;

/** `Bearer TOKEN`, `Basic BASE64`. */
function lookAtScheme(
  scan: Scan,
  word: "bearer" | "basic",
  from: number,
): number {
  const { text, ranges } = scan;
  if (word === "basic" && from < scan.noBasicBefore) return from;
  SPACES.lastIndex = from;
  const spaces = SPACES.exec(text)?.[0].length ?? 0;
  if (spaces === 0) return from;
  const start = from + spaces;
  let end = start;
  let hasDigit = false;
  const limit = word === "bearer" ? text.length : start + MAX_BASIC_LENGTH;
  while (end < limit && isCredentialLetter(text.charCodeAt(end))) {
    hasDigit ||= isDigit(text.charCodeAt(end));
    end++;
  }
  const length = end - start;
  const isSecret = length >= 8 &&
    (word === "bearer"
      ? hasDigit || length >= 24
      : isUserAndPassword(text.slice(start, end)));
  if (!isSecret) {
    if (word === "basic") scan.noBasicBefore = end;
    return start;
  }
  ranges.push(start, end);
  return end;
}

function isUserAndPassword(base64: string): boolean {
  try {
    return atob(base64).includes(":");
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
}

/** Quotes behind a name, blanks, what binds name and value, blanks, opening quotes. Quotes may be escaped. */
const BINDING =
  /(?<close>\\{0,3}["'])?(?<sep>[ \t]{0,3}(?:=>|:=|=(?!=)|:(?!:)|%3[Dd])[ \t]{0,3}| (?=[^-\s]))(?<open>\\{0,3}["'`])?/y;

/** `NAME=value`, `"name": "value"`, `--name value` and the like. */
function lookAtName(scan: Scan, at: number, end: number): number {
  const { text } = scan;
  if (at < scan.noNameBefore) return end;
  let to = end;
  while (to < text.length && isNameLetter(text.charCodeAt(to))) to++;
  scan.noNameBefore = to;
  BINDING.lastIndex = to;
  const binding = BINDING.exec(text)?.groups;
  if (binding === undefined) return end;
  const { close = "", sep = "", open = "" } = binding;
  const isOption = sep === " ";
  if (isOption && close !== "") return end;
  let from = at;
  const earliest = Math.max(0, at - MAX_SECRET_NAME_LENGTH);
  while (from > earliest && isNameLetter(text.charCodeAt(from - 1))) from--;
  if (from < at && isEscaped(text, from)) from++;
  const name = text.slice(from, to);
  if (isOption && !name.startsWith("--")) return end;
  const start = to + close.length + sep.length + open.length;
  if (/authorization$/i.test(name)) return lookAtHeader(scan, start);
  if (!isSecretName(name)) return end;
  return open === ""
    ? lookAtBareValue(scan, start, { name, sep, isQuotedName: close !== "" })
    : lookAtQuotedValue(scan, start, open);
}

const SCHEME = /[A-Za-z][A-Za-z0-9-]{0,31}(?: {1,3}|%20)(?=[^\s"'`])/y;
const CREDENTIALS = /[^\s"'`,;\\]*/y;

/** `Authorization: Scheme credentials`, or without a scheme. */
function lookAtHeader({ text, ranges }: Scan, from: number): number {
  SCHEME.lastIndex = from;
  const scheme = SCHEME.exec(text)?.[0] ?? "";
  const start = CREDENTIALS.lastIndex = from + scheme.length;
  const credentials = CREDENTIALS.exec(text)?.[0] ?? "";
  const end = start + credentials.length;
  const isProse = scheme === "" && /^[A-Za-z]*$/.test(credentials);
  if (!isProse) hide(ranges, text, start, end);
  return end;
}

function lookAtQuotedValue(
  { text, ranges }: Scan,
  start: number,
  open: string,
): number {
  const end = closing(text, start, open);
  hide(ranges, text, start, end);
  return end;
}

/** Where the closing quotes are; the end if there are none. */
function closing(text: string, start: number, open: string): number {
  const quote = open.at(-1)!;
  const escapes = open.length - 1;
  for (let at = text.indexOf(quote, start); at !== -1;) {
    let slashes = 0;
    while (at - slashes > start && text[at - 1 - slashes] === "\\") slashes++;
    // Escaped more often than the opening ones, it belongs to the value.
    if (slashes % (2 * (escapes + 1)) === escapes) return at - escapes;
    at = text.indexOf(quote, at + 1);
  }
  return text.length;
}

/** In a shell's assignment only a blank or a quote ends a value. */
const ASSIGNED = /[^\s"'`]*/y;
const BARE = /(?:[^\s"'`,;&)}\]<>\\]|\\(?![nrt"']))*/y;

/** What `--auth` means in our own command lines, and in those of many others: how, not with what. */
const KINDS_OF_AUTH = /^(?:open|basic|link)(?:\|(?:open|basic|link))*$/;

interface Bare {
  readonly name: string;
  readonly sep: string;
  readonly isQuotedName: boolean;
}

function lookAtBareValue(
  { text, ranges }: Scan,
  start: number,
  { name, sep, isQuotedName }: Bare,
): number {
  if ("[{(<*".includes(text[start] ?? "*")) return start;
  const isAssignment = sep === "=" && /^[A-Z][A-Z0-9_]*$/.test(name);
  const pattern = isAssignment ? ASSIGNED : BARE;
  pattern.lastIndex = start;
  const value = pattern.exec(text)?.[0] ?? "";
  const end = start + value.length;
  if (name === "--auth" && KINDS_OF_AUTH.test(value)) return end;
  // A number or a word of JSON stays one.
  if (isQuotedName) return end;
  // Prose and source code: "token: missing", "password = input.value".
  const isLoose = sep !== "=" && sep !== " ";
  if (isLoose && /^[A-Za-z_$?!.()[\]|]*$/.test(value)) return start;
  hide(ranges, text, start, end);
  return end;
}

/** What says that there is no secret, or where it comes from. */
const NO_SECRET =
  /^(?:\*+|null|nil|none|undefined|true|false|\$\{[^}]*\}?|\$\(.*|\$[A-Z_][A-Z0-9_]*|\[?redacted\]?|<.*>|%s|\?|-)?$/i;

function hide(ranges: Ranges, text: string, start: number, end: number): void {
  const isSecret = end > start &&
    (end - start > MAX_SECRET_NAME_LENGTH ||
      !NO_SECRET.test(text.slice(start, end)));
  if (isSecret) ranges.push(start, end);
}

/** Where a pattern, which matches at the end at the latest, first matches. */
function indexOf(text: string, pattern: RegExp): number {
  pattern.lastIndex = 0;
  return pattern.exec(text)?.index ?? text.length;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) ||
    isDigit(code);
}

/** base64url. */
function isTokenLetter(code: number): boolean {
  return isLetter(code) || code === 45 || code === 95;
}

/** With `.`, `~`, `+`, `/` and `=`. */
function isCredentialLetter(code: number): boolean {
  return isTokenLetter(code) || code === 46 || code === 126 || code === 43 ||
    code === 47 || code === 61;
}

/** Letters, digits, `_`, `-` and `.`. */
function isNameLetter(code: number): boolean {
  return isTokenLetter(code) || code === 46;
}
