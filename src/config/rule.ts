/**
 * Rules for values of configuration files: one definition reads a value, words what is wrong with it, and is its own
 * JSON Schema.
 *
 * A rule is strict: `"5"` is no number and `1` is no boolean, whatever the original program took. Nothing here knows a
 * key by name, and nothing throws: what is wrong goes to the list of problems, and the value becomes `undefined`.
 *
 * @module
 */

import { closest } from "../kit/did_you_mean.ts";
import type { Json, JsonObject } from "../kit/json.ts";
import type { ProblemList } from "./problem.ts";
import type { TomlDocument, TomlPath } from "./toml_document.ts";
import { formatPath, formatValue, isTable } from "./toml_value.ts";
import type { TomlTable, TomlValue } from "./toml_value.ts";

/** Longest piece of a user's value that is repeated in a message. */
const MAX_QUOTED_LENGTH = 60;

/** A value being read: what it is, where it stands, and where its problems go. */
export interface Reading {
  readonly document: TomlDocument;
  readonly problems: ProblemList;
  readonly path: TomlPath;
  readonly value: TomlValue;
}

/** What a value may be. */
export interface Rule<T> {
  /** Draft 2020-12. */
  readonly json: JsonObject;
  /** Completes "it must be …". */
  readonly expected: string;
  /** Keys of the table, if it is one. */
  readonly fields?: Fields;
  /** The value, or undefined after its problems were told. */
  read(reading: Reading): T | undefined;
}

/** A key of a table. */
export interface Field<T> {
  readonly rule: Rule<unknown>;
  /** One sentence for people and editors. */
  readonly about: string;
  /** What is read when the key is absent. */
  readonly absent: T;
  /** The same as one would write it; null = it cannot be written. */
  readonly shown: Json;
  readonly isRequired: boolean;
}

/** The keys of a table. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** What is read from a table: every key, with its fallback where it is absent or wrong. */
export type Values<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** A key that may be absent; then its value is null. */
export function optional<T>(rule: Rule<T>, about: string): Field<T | null> {
  return { rule, about, absent: null, shown: null, isRequired: false };
}

/** A key with a default. `shown` is the default as one would write it, if that is not how it is read. */
export function defaulted<T>(
  rule: Rule<T>,
  absent: T,
  about: string,
  shown: Json = absent as Json,
): Field<T> {
  return { rule, about, absent, shown, isRequired: false };
}

/** A key that must be there. `placeholder` stands in while the remaining problems are looked for. */
export function required<T>(
  rule: Rule<T>,
  placeholder: T,
  about: string,
): Field<T> {
  return { rule, about, absent: placeholder, shown: null, isRequired: true };
}

/** A key that holds a table; without it, all of the table's own defaults. */
export function section<F extends Fields>(
  fields: F,
  about: string,
  rule: Rule<Values<F>> = table(fields),
): Field<Values<F>> {
  const absent = absentValues(fields);
  return { rule, about, absent, shown: null, isRequired: false };
}

/** What a string must be. */
export interface TextOptions {
  /** Completes "it must be …". */
  readonly expected?: string;
  readonly pattern?: RegExp;
  readonly maxLength?: number;
  /** What is wrong, as the end of "but …", or null. For what a pattern cannot say. */
  readonly flaw?: (text: string) => string | null;
}

/** A string that is not blank and holds no NUL, which no program could be given. */
export function text(options: TextOptions = {}): Rule<string> {
  const { pattern, maxLength, flaw } = options;
  const expected = options.expected ?? "a string that is not blank";
  return {
    json: {
      type: "string",
      ...(pattern === undefined ? { pattern: "\\S" } : {
        pattern: pattern.source,
      }),
      ...(maxLength === undefined ? {} : { maxLength }),
    },
    expected,
    read(reading) {
      const { value } = reading;
      if (typeof value !== "string") return wrong(this, reading);
      if (value.includes("\0")) return wrong(this, reading, "it holds a NUL");
      if (maxLength !== undefined && value.length > maxLength) {
        const length = `it has ${value.length} characters`;
        return wrong(this, reading, `${length}, ${maxLength} are allowed`);
      }
      if (!(pattern ?? /\S/).test(value)) return wrong(this, reading);
      const found = flaw?.(value) ?? null;
      return found === null ? value : wrong(this, reading, found);
    },
  };
}

/** The source of a regular expression that compiles. */
export function regularExpression(): Rule<string> {
  const rule = text({
    expected: "a regular expression",
    flaw(source) {
      try {
        new RegExp(source);
        return null;
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        const reason = error.message.slice(error.message.lastIndexOf(": ") + 2);
        return `${JSON.stringify(source)} does not compile (${reason})`;
      }
    },
  });
  return { ...rule, json: { ...rule.json, format: "regex" } };
}

/** True or false. */
export function flag(): Rule<boolean> {
  return {
    json: { type: "boolean" },
    expected: "true or false",
    read(reading) {
      return typeof reading.value === "boolean"
        ? reading.value
        : wrong(this, reading);
    },
  };
}

/** A whole number from `min` to `max`, both included. */
export function integer(
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): Rule<number> {
  return {
    json: {
      type: "integer",
      minimum: min,
      ...(max === Number.MAX_SAFE_INTEGER ? {} : { maximum: max }),
    },
    expected: max === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${min}`
      : `a whole number from ${min} to ${max}`,
    read(reading) {
      const { value } = reading;
      const fits = typeof value === "number" && Number.isInteger(value) &&
        value >= min && value <= max;
      return fits ? value : wrong(this, reading);
    },
  };
}

/** The range of a number. */
export interface NumberRange {
  readonly above?: number;
  readonly min?: number;
  readonly max?: number;
}

/** A number, whole or not, in a range. */
export function decimal(range: NumberRange): Rule<number> {
  const { above = -Infinity, min = -Infinity, max = Infinity } = range;
  const bounds = [
    ...(range.above === undefined ? [] : [`greater than ${range.above}`]),
    ...(range.min === undefined ? [] : [`of at least ${range.min}`]),
    ...(range.max === undefined ? [] : [`of at most ${range.max}`]),
  ];
  return {
    json: {
      type: "number",
      ...(range.above === undefined ? {} : { exclusiveMinimum: range.above }),
      ...(range.min === undefined ? {} : { minimum: range.min }),
      ...(range.max === undefined ? {} : { maximum: range.max }),
    },
    expected: `a number ${bounds.join(" and ")}`,
    read(reading) {
      const { value } = reading;
      const fits = typeof value === "number" && Number.isFinite(value) &&
        value > above && value >= min && value <= max;
      return fits ? value : wrong(this, reading);
    },
  };
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): Rule<T> {
  const list = words.map((word) => `"${word}"`);
  return {
    json: { enum: [...words] },
    expected: `${list.slice(0, -1).join(", ")} or ${list.at(-1)}`,
    read(reading) {
      const found = words.find((word) => word === reading.value);
      if (found !== undefined) return found;
      const near = typeof reading.value === "string"
        ? closest(reading.value, words)
        : null;
      return wrong(
        this,
        reading,
        null,
        near === null ? undefined : `did you mean "${near}"?`,
      );
    },
  };
}

/** A list of values under one rule. Wrong elements are told one by one. */
export function list<T>(item: Rule<T>, what: string): Rule<readonly T[]> {
  return {
    json: { type: "array", items: item.json },
    expected: `a list of ${what}`,
    read(reading) {
      const { value, path } = reading;
      if (!Array.isArray(value)) return wrong(this, reading);
      const items = value.map((element, index) =>
        item.read({ ...reading, path: [...path, index], value: element })
      );
      return items.filter((element) => element !== undefined);
    },
  };
}

/** One value, or a list of them; read as a list. */
export function oneOrMore<T>(item: Rule<T>, what: string): Rule<readonly T[]> {
  const many = list(item, what);
  return {
    json: { anyOf: [item.json, many.json] },
    expected: `${item.expected}, or ${many.expected}`,
    read(reading) {
      if (Array.isArray(reading.value)) return many.read(reading);
      const single = item.read(reading);
      return single === undefined ? undefined : [single];
    },
  };
}

/** A table with known keys. Unknown ones are E103, each with the nearest known one. */
export function table<F extends Fields>(fields: F): Rule<Values<F>> {
  return {
    json: tableSchema(fields),
    expected: "a table",
    fields,
    read(reading) {
      return isTable(reading.value)
        ? readFields(fields, { ...reading, value: reading.value })
        : wrong(this, reading);
    },
  };
}

/** Reads the keys of a table. Always gives values; what was wrong is in the list of problems. */
export function readFields<F extends Fields>(
  fields: F,
  reading: Reading & { readonly value: TomlTable },
): Values<F> {
  const { value: source, path, document, problems } = reading;
  for (const key of Object.keys(source)) {
    if (Object.hasOwn(fields, key)) continue;
    const near = closest(key, Object.keys(fields));
    problems.add({
      code: "E103",
      message: `Cannot use key "${shortened(key)}"${
        within(path)
      }: it is unknown`,
      path: [...path, key],
      part: "key",
      ...(near === null ? {} : { hint: `did you mean "${near}"?` }),
    });
  }
  const values: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const value = source[key];
    const read = value === undefined
      ? undefined
      : field.rule.read({ document, problems, path: [...path, key], value });
    values[key] = read ?? field.absent;
  }
  return values as Values<F>;
}

function absentValues<F extends Fields>(fields: F): Values<F> {
  const entries = Object.entries(fields).map(([key, field]) => [
    key,
    field.absent,
  ]);
  return Object.fromEntries(entries) as Values<F>;
}

/** The schema of a table with known keys. */
export function tableSchema(fields: Fields): JsonObject {
  const properties: Record<string, Json> = {};
  const needed: string[] = [];
  for (const [key, field] of Object.entries(fields)) {
    properties[key] = {
      description: field.about,
      ...field.rule.json,
      ...(field.shown === null ? {} : { default: field.shown }),
    };
    if (field.isRequired) needed.push(key);
  }
  return {
    type: "object",
    ...(needed.length === 0 ? {} : { required: needed }),
    properties,
    additionalProperties: false,
  };
}

/** Tells that a value breaks its rule. `state` completes "but …"; without it the value itself is shown. */
export function wrong(
  rule: { readonly expected: string },
  reading: Reading,
  state?: string | null,
  hint?: string,
): undefined {
  const { path, value, problems } = reading;
  const last = path.at(-1);
  const name = typeof last === "number"
    ? `element ${last + 1} of "${path.at(-2)}"`
    : `"${last}"`;
  const parent = path.slice(0, typeof last === "number" ? -2 : -1);
  const found = state ?? `it is ${described(value)}`;
  problems.add({
    code: "E104",
    message: `Cannot use ${name}${
      within(parent)
    }: it must be ${rule.expected}, but ${found}`,
    path,
    part: "value",
    ...(hint === undefined ? {} : { hint }),
  });
}

/** " in [tasks.web]", or nothing at the top of the file. */
export function within(path: TomlPath): string {
  return path.length === 0 ? "" : ` in [${shortened(formatPath(path))}]`;
}

/** A value for a message: scalars as TOML, the rest by its kind. */
export function described(value: TomlValue): string {
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (isTable(value)) return "a table";
  return shortened(formatValue(value));
}

function shortened(text: string): string {
  return text.length <= MAX_QUOTED_LENGTH
    ? text
    : `${text.slice(0, MAX_QUOTED_LENGTH - 1)}…`;
}
