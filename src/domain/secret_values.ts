/**
 * Which values of an environment are secrets that can be looked for in any text.
 *
 * @module
 */

import { isSecretName } from "./secret_name.ts";

/** Shorter values would be found in half of all words. They are hidden only where their name stands before them. */
export const MIN_SECRET_LENGTH = 6;

/** Longest value that is looked for; of a longer one this much. */
export const MAX_SECRET_LENGTH = 8 * 1024;

/** A line of a value with several lines that is long enough to be looked for alone. */
const MIN_LINE_LENGTH = 8;

/** Values that so many settings have that hiding them would hide ordinary words. */
const ORDINARY_VALUES: ReadonlySet<string> = new Set([
  "changeme",
  "default",
  "development",
  "disabled",
  "enabled",
  "example",
  "guest",
  "localhost",
  "minioadmin",
  "optional",
  "password",
  "postgres",
  "preview",
  "production",
  "rabbitmq",
  "required",
  "secret",
  "staging",
  "testing",
  "undefined",
]);

/** The password of an address, as it stands there. */
const ADDRESS_PASSWORD = /^[a-z][a-z0-9+.-]{0,31}:\/\/[^\s:@/]*:([^\s@]+)@/i;

/**
 * The secrets among variables: values of names that say so, and passwords within addresses. A value that a harmless
 * variable has as well is none, nor is one that is too short or too ordinary to be looked for.
 *
 * @param ordinary More values that are none, such as names of tasks.
 */
export function secretValues(
  variables: Readonly<Record<string, string>>,
  ordinary: Iterable<string> = [],
): string[] {
  const harmless = new Set(ordinary);
  const found = new Set<string>();
  for (const [name, value] of Object.entries(variables)) {
    if (isSecretName(name)) found.add(value.trim());
    else harmless.add(value.trim());
    const password = ADDRESS_PASSWORD.exec(value)?.[1];
    if (password === undefined) continue;
    found.add(password);
    found.add(decoded(password));
  }
  return [...found].filter((value) =>
    !harmless.has(value) && isRecognizable(value)
  ).map((value) => value.slice(0, MAX_SECRET_LENGTH));
}

/** The parts of a value that a log may show on lines of their own. */
export function secretLines(value: string): string[] {
  if (!value.includes("\n")) return [];
  return value.split("\n").map((line) => line.trim()).filter((line) =>
    line.length >= MIN_LINE_LENGTH && isRecognizable(line) &&
    !line.startsWith("-----") && !line.startsWith("#")
  );
}

/** Whether a value, where it is found, is likely to be this secret and nothing else. */
export function isRecognizable(value: string): boolean {
  return value.length >= MIN_SECRET_LENGTH &&
    !ORDINARY_VALUES.has(value.toLowerCase()) &&
    // Ports, times, counts.
    !/^\d{1,7}$/.test(value) &&
    // A path leads to a secret.
    !/^(?:~|\.{1,2})?\/[\w@.+/ -]*$/.test(value) &&
    // One character again and again is a placeholder or a ruler.
    !/^(.)\1*$/s.test(value) && !value.includes("***") &&
    // The address without a password says nothing.
    !/^[a-z][a-z0-9+.-]{0,31}:\/\/[^\s@]*$/i.test(value) &&
    // A name of another variable.
    !/^\$\{?[A-Z_][A-Z0-9_]*\}?$/.test(value);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
