/**
 * Values of TOML: their type, when two are the same, and how one is written.
 *
 * @module
 */

/** A value as the parser gives it. A date is one of the parser's own subclass of `Date`. */
export type TomlValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | TomlValue[]
  | TomlTable;

/** A table; the parser's have no prototype. */
export interface TomlTable {
  [key: string]: TomlValue;
}

const BARE_KEY_REGEXP = /^[A-Za-z0-9_-]+$/;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

/** Whether a value is a table. */
export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value) &&
    !(value instanceof Date);
}

/** Whether two values say the same. The order of keys does not count. */
export function sameValue(a: TomlValue, b: TomlValue): boolean {
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length &&
      a.every((item, index) => sameValue(item, b[index]!));
  }
  if (isTable(a)) {
    if (!isTable(b)) return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key]!, b[key]!));
  }
  if (a instanceof Date) {
    return b instanceof Date && a.toISOString() === b.toISOString();
  }
  // NaN is written by nobody, but equal to itself all the same. 0 and -0 are one.
  return Object.is(a, b) || a === b;
}

/** A value in one line of TOML: tables inline, strings in the quotes that need the fewest escapes. */
export function formatValue(value: TomlValue): string {
  if (typeof value === "string") return formatString(value);
  if (typeof value === "number") return formatNumber(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  if (!isTable(value)) return String(value);
  const entries = Object.entries(value).map(([key, item]) =>
    `${formatKey(key)} = ${formatValue(item)}`
  );
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

/** A key, quoted if it must be. */
export function formatKey(key: string): string {
  return BARE_KEY_REGEXP.test(key) ? key : basicString(key);
}

/** A dotted key as one would type it, with array indices in brackets; for messages. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = "";
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`;
    else text += `${text === "" ? "" : "."}${formatKey(segment)}`;
  }
  return text;
}

function formatString(text: string): string {
  const isLiteral = /["\\]/.test(text) && !/['\p{Cc}]/u.test(text) &&
    text.isWellFormed();
  return isLiteral ? `'${text}'` : basicString(text);
}

function basicString(text: string): string {
  const escaped = text.toWellFormed().replace(
    // deno-lint-ignore no-control-regex -- control characters are what is escaped
    /["\\\u0000-\u001f\u007f]/g,
    (char) =>
      SHORT_ESCAPES[char] ??
        `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Number.isSafeInteger(value)) {
    return Object.is(value, -0) ? "0" : `${value}`;
  }
  const text = `${value}`;
  // An exponent is enough for TOML to see a float; a large whole number without one is not.
  return /[.e]/.test(text) ? text : `${text}.0`;
}
