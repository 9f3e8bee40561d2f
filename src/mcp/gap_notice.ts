/**
 * What a client is told in place of messages that it misses.
 *
 * @module
 */

import type { Notice } from "./catalogue.ts";

/** Who tells what happens. */
export const LOGGER = "taskmux";

/** Stands for so many messages. */
export function gapNotice(gap: number): Notice {
  return { level: "warning", logger: LOGGER, data: { gap } };
}
