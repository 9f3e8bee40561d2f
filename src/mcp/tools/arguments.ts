/**
 * Arguments that several tools have, and how a client's are read.
 *
 * @module
 */

import { z } from "zod";
import { closest } from "../../kit/did_you_mean.ts";
import { TaskmuxError } from "../../domain/error.ts";
import type { AnyTool } from "./tool.ts";

/** Longest that a tool waits, in seconds: long enough for a build, short enough for a client that is gone. */
export const MAX_TOOL_WAIT_S = 600;

/** By default a tool waits less than the 60 s after which clients made with the official SDKs, and Codex, give up. */
const TOOL_WAIT_S = 50;

/** What one token is taken for. */
export const BYTES_PER_TOKEN = 4;

/** Words, of which the contract wants a list: `a,b` or `["a","b"]`. */
export const words = z.string().optional();

/** Names of tasks. */
export const names = words.describe("one or a,b");

/** Names of tasks that must be given. */
export const someNames = z.string().min(1).describe("one or a,b");

/** Seconds. */
export const timeout = z.number().positive().max(MAX_TOOL_WAIT_S)
  .default(TOOL_WAIT_S).describe("seconds");

/** A budget in tokens of four bytes. */
export function maxTokens(preset: number): z.ZodDefault<z.ZodNumber> {
  return z.int().min(100).max(25_000).default(preset);
}

/** The names of a list. */
export function namesOf(text: string | undefined): string[] {
  return (text ?? "").split(/[\s,]+/).filter((name) => name !== "");
}

/**
 * A client's arguments, defaults filled in. What is null counts as absent, and a list of words as their text.
 *
 * @throws {TaskmuxError} E500 that names every place and what is allowed there.
 */
export function readArguments(
  { name, input }: Pick<AnyTool, "name" | "input">,
  args: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const plain = Object.entries(args).filter(([, value]) => value !== null)
    .map(([key, value]) => [key, isWords(value) ? value.join(",") : value]);
  const parsed = input.safeParse(Object.fromEntries(plain));
  if (parsed.success) return parsed.data;
  const known = Object.keys(input.shape);
  const problems = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => unknownKey(key, known))
      : [`${issue.path.join(".")}: ${issue.message}`]
  );
  throw new TaskmuxError(
    "E500",
    `Cannot call ${name}: ${problems.join("; ")}`,
    {
      details: { problems },
    },
  );
}

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) &&
    value.every((each) => typeof each === "string");
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = closest(key, known);
  const more = near === null
    ? known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`
    : `did you mean "${near}"?`;
  return `there is no argument "${key.slice(0, 64)}", ${more}`;
}
