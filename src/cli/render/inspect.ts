/**
 * The answer of `inspect` for people: every key that says something, nested ones indented.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { Paint } from "./paint.ts";
import { STATE_STYLES } from "./status.ts";
import { plainText } from "./text.ts";

/** Printed first, in this order; the rest follows as it comes. */
const FIRST = ["state", "reason", "command", "cwd", "pid", "port", "url"];

/** Told by the headline. */
const TOLD = new Set(["ok", "name", "state"]);

/** Keys whose value is seconds since the epoch. */
const INSTANT = /^(?:at|.*_at)$/;

/** The lines of `inspect`. */
export function inspectLines(
  detail: Result<"task.inspect">,
  paint: Paint,
): string[] {
  const state = paint(STATE_STYLES[detail.state], detail.state);
  const keys = [
    ...FIRST.filter((key) => key in detail),
    ...Object.keys(detail).filter((key) => !FIRST.includes(key)),
  ].filter((key) => !TOLD.has(key));
  return [
    `${paint("bold", `Task "${detail.name}"`)}: ${state}`,
    ...keys.flatMap((key) => entryLines(key, detail[key], "  ", paint)),
  ];
}

function entryLines(
  key: string,
  value: unknown,
  indent: string,
  paint: Paint,
): string[] {
  if (isSilent(value)) return [];
  const name = paint("dim", `${key}:`);
  if (Array.isArray(value) && value.some((item) => typeof item === "object")) {
    return [
      `${indent}${name}`,
      ...value.map((item) => `${indent}  - ${inlineText(item)}`),
    ];
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const lines = Object.entries(value).flatMap(([inner, innerValue]) =>
      entryLines(inner, innerValue, `${indent}  `, paint)
    );
    return lines.length === 0 ? [] : [`${indent}${name}`, ...lines];
  }
  return [`${indent}${name} ${scalarText(key, value)}`];
}

/** What is not set need not be told. */
function isSilent(value: unknown): boolean {
  return value === null || value === undefined || value === "" ||
    (Array.isArray(value) && value.length === 0);
}

function scalarText(key: string, value: unknown): string {
  if (typeof value === "number" && INSTANT.test(key)) {
    return new Date(value * 1000).toISOString();
  }
  if (Array.isArray(value)) return value.map(inlineText).join(", ");
  return plainText(String(value));
}

function inlineText(value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return plainText(String(value));
  }
  return Object.entries(value)
    .filter(([, inner]) => !isSilent(inner))
    .map(([key, inner]) =>
      `${key}=${
        typeof inner === "object"
          ? plainText(JSON.stringify(inner))
          : scalarText(key, inner)
      }`
    )
    .join(" ");
}
