/**
 * The names and numbers by which loggers call their levels.
 *
 * @module
 */

import type { LogLevel } from "../domain/log_levels.ts";

const NAMES: Readonly<Record<LogLevel, string>> = {
  trace: "trace trce trc silly finest finer all t",
  debug: "debug dbug debg dbg verbose verb fine d d1 d2 d3 d4 d5",
  info: "info inf information informational notice success log http i",
  warn: "warn warning wrn w deprecated",
  error: "error erro err fail severe e",
  fatal: "fatal fata ftl critical crit c panic dpanic alert emerg emergency f",
};

const LEVELS: ReadonlyMap<string, LogLevel> = new Map(
  Object.entries(NAMES).flatMap(([level, names]) =>
    names.split(" ").map((name) => [name, level as LogLevel] as const)
  ),
);

/** The level of a name in small letters, capitals or with one at its start, such as `WARNING` or `ERROR+2`, or of a number; null if it is neither. */
export function levelOfWord(word: string): LogLevel | null {
  const known = LEVELS.get(word) ??
    (/^[A-Z](?:[A-Z]*|[a-z]*)\d?$/.test(word)
      ? LEVELS.get(word.toLowerCase())
      : undefined);
  if (known !== undefined) return known;
  if (/^\d+$/.test(word)) return levelOfNumber(Number(word));
  const offset = /^([a-z]+)[+-]\d+$/i.exec(word);
  return offset === null ? null : levelOfWord(offset[1] ?? "");
}

/** The level of a number: 10 to 60 as Bunyan and Pino have it, 0 to 7 as syslog does. */
export function levelOfNumber(number: number): LogLevel | null {
  if (number >= 8) {
    if (number >= 60) return number <= 100 ? "fatal" : null;
    if (number >= 50) return "error";
    if (number >= 40) return "warn";
    if (number >= 30) return "info";
    return number >= 20 ? "debug" : "trace";
  }
  if (number < 0) return null;
  if (number === 7) return "debug";
  if (number >= 5) return "info";
  if (number >= 4) return "warn";
  return number >= 3 ? "error" : "fatal";
}
