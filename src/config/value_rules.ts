/**
 * Rules for the kinds of value that only taskmux's files have: names, sizes, environments, dependencies.
 *
 * @module
 */

import type { Dependency, DependencyCondition } from "../domain/task_spec.ts";
import { RESERVED_PROJECT_ID } from "../domain/worktree_id.ts";
import { closest } from "../kit/did_you_mean.ts";
import type { JsonObject } from "../kit/json.ts";
import {
  choice,
  decimal,
  list,
  type Reading,
  type Rule,
  text,
  within,
  wrong,
} from "./rule.ts";
import { isTable } from "./toml_value.ts";

/** Longest label of a DNS name. */
export const MAX_LABEL_LENGTH = 63;

/** Longest time in seconds: what a timer can wait, 2^31 milliseconds. */
export const MAX_SECONDS = 2_147_483;

/** A label of a DNS name in lower case. */
export const LABEL_REGEXP = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

const HOST_REGEXP = /^(@|\*|[a-z0-9]([a-z0-9-]*[a-z0-9])?)$/;
const MAX_HOSTNAME_LENGTH = 253;
const SIZE_REGEXP = /^(\d+(?:\.\d+)?) *([KMG]?i?B?)$/i;
const SIZE_FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};

/** A task that its first request starts. */
export const ON_REQUEST = "on-request";

/** Names of environment variables that a shell can use. */
const VARIABLE_REGEXP = /^[A-Za-z_][A-Za-z0-9_]*$/;

const conditions: Rule<DependencyCondition> = choice([
  "healthy",
  "started",
  "completed",
]);

/**
 * A word of a list that may grow with taskmux. Another one is refused where it is typed; in a file, which an older taskmux
 * must be able to read, it is E103, and there but a warning.
 *
 * @param what Completes "Cannot use … ".
 * @param bare The word as it stands among the known ones.
 */
export function growing(
  what: string,
  words: readonly string[],
  bare: (text: string) => string = (text) => text,
): Rule<string> {
  const rule = text({ expected: `${what}, such as "${words[0]}"` });
  return {
    ...rule,
    read(reading) {
      const read = rule.read(reading);
      if (read === undefined || words.includes(bare(read))) return read;
      const near = closest(bare(read), words);
      reading.problems.add({
        code: "E103",
        message: `Cannot use ${what} "${read.slice(0, 64)}": there is none`,
        path: reading.path,
        part: "value",
        hint: near === null
          ? `there are ${words.join(", ")}`
          : `did you mean "${near}"?`,
      });
      return read;
    },
  };
}

/** A duration in seconds. Zero only where `canBeZero`. */
export function seconds(options: { canBeZero: boolean }): Rule<number> {
  return decimal({
    ...(options.canBeZero ? { min: 0 } : { above: 0 }),
    max: MAX_SECONDS,
  });
}

/** Whether a task is started with the others, or with the first request for it. */
export function autoStart(): Rule<boolean | typeof ON_REQUEST> {
  return {
    json: { enum: [true, false, ON_REQUEST] },
    expected: `true, false or "${ON_REQUEST}"`,
    read(reading) {
      const { value } = reading;
      if (typeof value === "boolean" || value === ON_REQUEST) return value;
      const isNear = typeof value === "string" &&
        closest(value, [ON_REQUEST]) !== null;
      return wrong(
        this,
        reading,
        null,
        isNear ? `did you mean "${ON_REQUEST}"?` : undefined,
      );
    },
  };
}

/** A lower-case label of a DNS name. */
export function label(): Rule<string> {
  return text({
    expected: 'lower-case letters, digits and inner "-"',
    pattern: LABEL_REGEXP,
    maxLength: MAX_LABEL_LENGTH,
  });
}

/** A name for a project: a label that is not taskmux's own. */
export function projectLabel(): Rule<string> {
  const expected = 'lower-case letters, digits and inner "-"';
  const rule = text({
    expected,
    pattern: LABEL_REGEXP,
    maxLength: MAX_LABEL_LENGTH,
    flaw: (name) =>
      name === RESERVED_PROJECT_ID
        ? `"${name}" is reserved: its address is kept for taskmux itself`
        : null,
  });
  return {
    ...rule,
    json: { ...rule.json, not: { const: RESERVED_PROJECT_ID } },
  };
}

/** The host of a task: a label, the apex or the catch-all. */
export function host(): Rule<string> {
  return text({
    expected:
      '"@", "*", or a name of lower-case letters, digits and inner "-", such as "api" for api.PROJECT.localhost',
    pattern: HOST_REGEXP,
    maxLength: MAX_LABEL_LENGTH,
  });
}

/** A public DNS name, read trimmed, in lower case and without the dot of the root. */
export function publicHostname(): Rule<string> {
  const rule = text({
    expected: 'a DNS name such as "api.example.com"',
    flaw: (name) => readPublicHostname(name) === null ? "it is not" : null,
  });
  return {
    ...rule,
    read(reading) {
      const name = rule.read(reading);
      return name === undefined ? undefined : normalHostname(name);
    },
  };
}

/** A DNS name in its usual form: small letters, no dot at its end; null if it is none, or of one label only. */
export function readPublicHostname(written: string): string | null {
  const name = normalHostname(written);
  const labels = name.split(".");
  const isName = labels.length > 1 && name.length <= MAX_HOSTNAME_LENGTH &&
    labels.every((part) =>
      part.length <= MAX_LABEL_LENGTH && LABEL_REGEXP.test(part)
    );
  return isName ? name : null;
}

function normalHostname(name: string): string {
  return name.trim().toLowerCase().replace(/\.$/, "");
}

/** A number of bytes, or a text such as "10MB". Units are powers of 1024. */
export function byteSize(): Rule<number> {
  return {
    json: {
      anyOf: [
        { type: "integer", minimum: 1 },
        {
          type: "string",
          pattern: "^\\d+(\\.\\d+)? *([KkMmGg]?[Ii]?[Bb]?)$",
        },
      ],
    },
    expected: 'a size such as "10MB", or a whole number of bytes',
    read(reading) {
      const bytes = bytesOf(reading.value);
      const fits = bytes !== null && Number.isSafeInteger(bytes) && bytes >= 1;
      return fits ? bytes : wrong(this, reading);
    },
  };
}

function bytesOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  // Longer is no size, and digits without end would only keep the machine busy.
  if (typeof value !== "string" || value.length > 32) return null;
  const [, amount, unit] = SIZE_REGEXP.exec(value.trim()) ?? [];
  if (amount === undefined || unit === undefined) return null;
  const factor = SIZE_FACTORS[unit.replace(/i?B?$/i, "").toUpperCase()];
  return factor === undefined ? null : Math.round(Number(amount) * factor);
}

/** Environment variables in the order of the file. Numbers and booleans become the text they were written as. */
export function environment(): Rule<readonly (readonly [string, string])[]> {
  return {
    json: {
      type: "object",
      propertyNames: { pattern: VARIABLE_REGEXP.source },
      additionalProperties: { type: ["string", "number", "boolean"] },
    },
    expected: "a table of variables",
    read(reading) {
      const { value, document, path } = reading;
      if (!isTable(value)) return wrong(this, reading);
      const pairs: [string, string][] = [];
      for (const name of document.keysInOrder(value, path)) {
        const found = variable(name, {
          ...reading,
          path: [...path, name],
          value: value[name]!,
        });
        if (found !== undefined) pairs.push([name, found]);
      }
      return pairs;
    },
  };
}

function variable(name: string, reading: Reading): string | undefined {
  const { value, path, document, problems } = reading;
  if (!VARIABLE_REGEXP.test(name)) {
    problems.add({
      code: "E104",
      message: `Cannot use variable ${JSON.stringify(name)}${
        within(path.slice(0, -1))
      }: a name is letters, digits and "_", and starts with no digit`,
      path,
      part: "key",
    });
    return undefined;
  }
  const rule = { expected: "a string, a number or a boolean" };
  if (typeof value === "string") {
    return value.includes("\0")
      ? wrong(rule, reading, "it holds a NUL")
      : value;
  }
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number" && typeof value !== "bigint") {
    return wrong(rule, reading);
  }
  // 1.10 is a version for whoever writes it, and not 1.1.
  const written = document.writtenNumber(path);
  return written === null || Number.isInteger(value) && !written.includes(".")
    ? String(value)
    : written.replaceAll("_", "");
}

/** What a task waits for: a list of names, or a table from name to condition. */
export function dependencies(): Rule<readonly Dependency[]> {
  const names = list(text({ expected: "the name of a task" }), "task names");
  const json: JsonObject = {
    anyOf: [names.json, {
      type: "object",
      additionalProperties: conditions.json,
    }],
  };
  return {
    json,
    expected: 'a list of task names, or a table such as { db = "healthy" }',
    read(reading) {
      const { value, document, path } = reading;
      if (Array.isArray(value)) {
        return names.read(reading)?.map((task) => ({
          task,
          condition: "healthy",
        }));
      }
      if (!isTable(value)) return wrong(this, reading);
      return document.keysInOrder(value, path).map((task) => ({
        task,
        condition: conditions.read({
          ...reading,
          path: [...path, task],
          value: value[task]!,
        }) ?? "healthy",
      }));
    },
  };
}
