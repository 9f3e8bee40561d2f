/**
 * How long to wait before a request is made again.
 *
 * @module
 */

/** First pause, doubled each time. */
const FIRST_PAUSE_MS = 500;

/** Longest pause that is chosen here. */
const MAX_PAUSE_MS = 8_000;

/** Longest pause that the API may ask for. It can ask for five minutes, which nobody waits for at a prompt. */
export const MAX_ASKED_PAUSE_MS = 30_000;

/**
 * The pause before the attempt after `attempt` failed, when the API names none: doubled each time, between half and all
 * of it, so that several daemons do not come back together.
 *
 * @param attempt 1 for the first.
 * @param chance At least 0, below 1.
 */
export function backoffMs(attempt: number, chance: number): number {
  const full = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  return Math.round(full / 2 + chance * full / 2);
}

/**
 * The pause that an answer asks for: `Retry-After` in either form (RFC 9110 §10.2.3), or else the end of the window in
 * `Ratelimit: "default";r=0;t=30`, as Cloudflare sends it.
 *
 * @param now Wall time in milliseconds.
 * @returns Milliseconds, not bounded; null if it names none.
 */
export function askedPauseMs(headers: Headers, now: number): number | null {
  const retryAfter = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const at = retryAfter === "" ? NaN : Date.parse(retryAfter);
  if (!Number.isNaN(at)) return Math.max(0, at - now);
  const limits = headers.get("ratelimit")?.split(",") ?? [];
  const pauses = limits.flatMap((limit) => {
    const left = /;\s*r=(\d{1,9})\b/.exec(limit)?.[1];
    const seconds = /;\s*t=(\d{1,9})\b/.exec(limit)?.[1];
    return left !== undefined && Number(left) === 0 && seconds !== undefined
      ? [Number(seconds) * 1_000]
      : [];
  });
  return pauses.length === 0 ? null : Math.max(...pauses);
}
