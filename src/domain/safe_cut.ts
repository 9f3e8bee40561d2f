/**
 * Cutting texts that may hold secrets. Half a secret looks like nothing that is one: what is cut first cannot be made safe
 * any more.
 *
 * @module
 */

import type { Redactor } from "./redactor.ts";
import { MAX_SECRET_LENGTH } from "./secret_values.ts";

/** From which end a text is kept. */
export type KeptEnd = "start" | "end";

/**
 * At most `length` UTF-16 units of a text, with `…` where something is missing. What is cut has no secrets, also for those
 * who want to see them; what is not is as it was. Cost: of the cut, not of the text.
 */
export function safeCut(
  text: string,
  { length, redactor, keep = "start" }: {
    readonly length: number;
    readonly redactor: Redactor;
    readonly keep?: KeptEnd;
  },
): string {
  if (text.length <= length) return text;
  const near = length + MAX_SECRET_LENGTH;
  const safe = redactor.text(
    keep === "start" ? text.slice(0, near) : text.slice(-near),
  );
  if (safe.length <= length && text.length <= near) return safe;
  return keep === "start"
    ? `${safe.slice(0, length - 1)}…`
    : `…${safe.slice(-(length - 1))}`;
}
