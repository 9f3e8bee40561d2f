/**
 * Tokens that are known by how they begin.
 *
 * @module
 */

import { isEscaped, type Ranges } from "./ranges.ts";

/** One kind of token. */
interface TokenShape {
  /** How it begins; letters count as written. */
  readonly prefix: string;
  /** What follows, as one character. */
  readonly rest: RegExp;
  /** Fewest characters that follow. */
  readonly min: number;
  /** Whether what follows must hold a digit, because words may begin like this. */
  readonly needsDigit?: true;
}

const WORD = /[A-Za-z0-9_]/;
const LETTER = /[A-Za-z0-9]/;
const DASHED = /[A-Za-z0-9_-]/;
const DOTTED = /[A-Za-z0-9_.-]/;
const CAPITAL = /[A-Z0-9]/;

function shapes(
  prefixes: readonly string[],
  rest: RegExp,
  min: number,
): TokenShape[] {
  return prefixes.map((prefix) => ({ prefix, rest, min }));
}

const TOKEN_SHAPES: readonly TokenShape[] = [
  ...shapes(["github_pat_"], WORD, 20),
  ...shapes(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], LETTER, 20),
  ...shapes(["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-"], DASHED, 16),
  ...shapes(
    ["xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxo-", "xoxp-", "xoxr-"],
    DASHED,
    12,
  ),
  ...shapes(["xoxs-", "xapp-"], DASHED, 12),
  ...shapes(["AKIA", "ASIA", "ABIA", "ACCA"], CAPITAL, 16),
  ...shapes(["AIza"], DASHED, 30),
  ...shapes(["ya29."], DASHED, 20),
  ...shapes(["GOCSPX-"], DASHED, 20),
  ...shapes(
    ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"],
    LETTER,
    12,
  ),
  { prefix: "sk-", rest: DASHED, min: 16, needsDigit: true },
  ...shapes(["npm_"], LETTER, 30),
  ...shapes(["hf_"], LETTER, 20),
  ...shapes(["dckr_pat_"], DASHED, 20),
  ...shapes(["dop_v1_", "shpat_", "rubygems_"], LETTER, 20),
  ...shapes(["pypi-"], DASHED, 20),
  ...shapes(["hvs."], DASHED, 20),
  ...shapes(["glsa_", "gsk_", "sbp_", "r8_"], WORD, 24),
  ...shapes(["nvapi-", "pplx-", "xai-"], DASHED, 24),
  ...shapes(["SG."], DOTTED, 40),
  ...shapes(["AGE-SECRET-KEY-"], CAPITAL, 40),
];

/** By the last two characters of their prefix, the longest first: one look-up tells that a rule of dashes is no token. */
const BY_ENDING: ReadonlyMap<string, readonly TokenShape[]> = Map.groupBy(
  [...TOKEN_SHAPES].sort((a, b) => b.prefix.length - a.prefix.length),
  ({ prefix }) => prefix.slice(-2),
);

/** The end of a prefix with enough behind it. Looking for what is rare is several times faster than for the prefixes; rules of dashes are frequent. */
const PREFIX_ENDS =
  /(?<=[A-Za-z0-9])[_\-.](?=[A-Za-z0-9_-]{12})|A(?:KI|SI|BI|CC)A(?=[A-Z0-9]{16})|AIza(?=[A-Za-z0-9_-]{30})/g;

/** The same, apart, and with what stands before: times have no such ends, and are on every line of a log. */
const HINTS = [
  /[A-Za-z89][_\-.](?=[A-Za-z0-9_-]{12})/,
  /A(?:KI|SI|BI|CC)A(?=[A-Z0-9]{16})|AIza(?=[A-Za-z0-9_-]{30})/,
];

/** Whether {@linkcode findTokens} would find anything, or nearly. */
export function mayHoldToken(text: string): boolean {
  return HINTS.some((hint) => hint.test(text));
}

/** Adds where tokens are. */
export function findTokens(text: string, ranges: Ranges): void {
  PREFIX_ENDS.lastIndex = 0;
  while (PREFIX_ENDS.test(text)) {
    const start = PREFIX_ENDS.lastIndex;
    const shape = shapeBefore(text, start);
    const end = shape === null ? start : endOfToken(text, start, shape);
    if (shape === null || end === start) continue;
    ranges.push(start - shape.prefix.length, end);
    PREFIX_ENDS.lastIndex = end;
  }
}

function shapeBefore(text: string, end: number): TokenShape | null {
  if (end < 2) return null;
  for (const shape of BY_ENDING.get(text.slice(end - 2, end)) ?? []) {
    if (!text.endsWith(shape.prefix, end)) continue;
    const before = end - shape.prefix.length - 1;
    // "task-" does not end in "sk-", but "\\nsk-" does.
    const isWord = before >= 0 && LETTER.test(text[before]!) &&
      !isEscaped(text, before);
    return isWord ? null : shape;
  }
  return null;
}

/** Words without a digit do not go on for so long. */
const NO_DIGITS = /[A-Za-z_-]{64}/y;

/** Where the token ends; `start` if it is none. */
function endOfToken(
  text: string,
  start: number,
  { rest, min, needsDigit }: TokenShape,
): number {
  NO_DIGITS.lastIndex = start;
  if (needsDigit === true && NO_DIGITS.test(text)) return start;
  let end = start;
  while (end < text.length && rest.test(text[end]!)) end++;
  const isLong = end - start >= min;
  const isToken = isLong &&
    (needsDigit !== true || /\d/.test(text.slice(start, end)));
  return isToken ? end : start;
}
