/**
 * How serious a line of output is.
 *
 * @module
 */

import { TaskmuxError } from "./error.ts";

/** From the least serious one up. Programs with other levels are understood as the nearest of these. */
export const LOG_LEVELS = [
  "trace",
  "debug",
  "info",
  "warn",
  "error",
  "fatal",
] as const;

/** One of them. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Its place in {@linkcode LOG_LEVELS}: higher is worse. */
export function levelRank(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level);
}

/**
 * The level of that name, in any case.
 *
 * @throws {TaskmuxError} E500 if there is none.
 */
export function requireLevel(text: string): LogLevel {
  const name = text.toLowerCase();
  // As events, Python and syslog call it.
  if (name === "warning") return "warn";
  const level = LOG_LEVELS.find((each) => each === name);
  if (level !== undefined) return level;
  throw new TaskmuxError(
    "E500",
    `Cannot show level "${text}": there is ${LOG_LEVELS.join(", ")}`,
    { hint: "--level error", details: { level: text } },
  );
}
