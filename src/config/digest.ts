/**
 * A short name for the meaning of a value, to see whether it changed.
 *
 * Not for security: whoever wants two values with one digest can find them.
 *
 * @module
 */

import type { Json } from "../kit/json.ts";

const FNV_PRIME = 0x01000193;
const FNV_OFFSET = 0x811c9dc5;
/** Any other odd start gives a second, independent half. */
const SECOND_OFFSET = 0x9e3779b1;

/** Sixteen hexadecimal digits. The same for values that differ only in the order of their keys. */
export function digestOf(value: Json): string {
  // The synchronous hashes of the runtime cost the CLI 12 ms to load, far more than this loop.
  let low = FNV_OFFSET;
  let high = SECOND_OFFSET;
  for (const byte of new TextEncoder().encode(canonical(value))) {
    low = Math.imul(low ^ byte, FNV_PRIME);
    high = Math.imul(high ^ byte, FNV_PRIME) + (low >>> 15) | 0;
  }
  return hex(high) + hex(low);
}

function canonical(value: Json): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) {
      return item;
    }
    return Object.fromEntries(
      Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1),
    );
  });
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
