/**
 * Durations and points in time as people type and read them.
 *
 * Knows no clock: whoever asks for "5m ago" says what now is.
 *
 * @module
 */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** The longest that anybody may want to wait, in seconds: a week. Timers of the runtime go on for 24 days. */
export const MAX_WAIT_S = 604_800;

/** The farthest a `Date` reaches from the epoch, in milliseconds. */
const MAX_TIME_MS = 8.64e15;

const PART_REGEXP = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)\s*/y;

const TIME_REGEXP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/**
 * A duration in milliseconds: `500ms`, `90` (seconds), `1h30m`, `1.5h`, `2d 4h`, `1w`. Null if the text is anything else.
 */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) {
    return bounded(Number(trimmed) * 1000);
  }
  let total = 0;
  let at = 0;
  while (at < trimmed.length) {
    PART_REGEXP.lastIndex = at;
    const part = PART_REGEXP.exec(trimmed);
    if (part === null) return null;
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ""] ?? NaN);
    at = PART_REGEXP.lastIndex;
  }
  return trimmed === "" ? null : bounded(total);
}

/**
 * A point in time in milliseconds since the epoch: a duration before now (`5m`), or an ISO 8601 date or date and time
 * (`2026-11-20`, `2026-11-20T10:00`, `2026-11-20 10:00:00.250+02:00`).
 *
 * Without a zone the time is local; a date alone is its local midnight. A local time that a change of clocks skips or
 * repeats is read as `Date` reads it. Null if the text is neither, or no such day or hour exists.
 */
export function parseTime(text: string, nowMs: number): number | null {
  const trimmed = text.trim();
  const ago = parseDuration(trimmed);
  if (ago !== null) return nowMs - ago;
  const found = TIME_REGEXP.exec(trimmed);
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(
    (group) => Number(found[group] ?? 0),
  ) as [number, number, number, number, number, number];
  const milli = Number((found[7] ?? "").slice(0, 3).padEnd(3, "0"));
  if (hour > 23 || minute > 59 || second > 59) return null;
  if (!isDay(year, month, day)) return null;
  const zone = found[8];
  if (zone === undefined) {
    const local = new Date(year, month - 1, day, hour, minute, second, milli);
    // The constructor takes the years 0 to 99 for 1900 to 1999.
    if (year < 100) local.setFullYear(year);
    return local.getTime();
  }
  const offsetMs = zoneOffsetMs(zone);
  if (offsetMs === null) return null;
  const utc = new Date(0);
  utc.setUTCFullYear(year, month - 1, day);
  utc.setUTCHours(hour, minute, second, milli);
  return utc.getTime() - offsetMs;
}

/**
 * A duration for people, two units at most: `350ms`, `4.2s`, `1m 5s`, `1h 3m`, `2d 4h`. Rounds down; a negative one
 * reads as `0ms`.
 */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.floor(ms));
  if (whole < 1000) return `${whole}ms`;
  if (whole < 60_000) return `${Math.floor(whole / 100) / 10}s`;
  if (whole < 3_600_000) return twoUnits(whole, "m", "s");
  if (whole < 86_400_000) return twoUnits(whole, "h", "m");
  return twoUnits(whole, "d", "h");
}

function twoUnits(ms: number, large: string, small: string): string {
  const largeMs = UNIT_MS[large] ?? 1;
  const rest = Math.floor((ms % largeMs) / (UNIT_MS[small] ?? 1));
  const head = `${Math.floor(ms / largeMs)}${large}`;
  return rest === 0 ? head : `${head} ${rest}${small}`;
}

function bounded(ms: number): number | null {
  return ms <= MAX_TIME_MS ? Math.round(ms) : null;
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const lastDay = new Date(0);
  lastDay.setUTCFullYear(year, month, 0);
  return day <= lastDay.getUTCDate();
}

function zoneOffsetMs(zone: string): number | null {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", "") || 0);
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
