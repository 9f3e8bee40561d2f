/**
 * What makes two occurrences the same error.
 *
 * @module
 */

import type { ErrorFacts } from "./error_block.ts";
import type { SourceFrame } from "./error_group.ts";

/** The part of a message that tells it from others. */
const MAX_MESSAGE_LENGTH = 300;

/** Ids, addresses, hashes, quoted absolute paths, and numbers with their units, unless they end a word. */
const VARIABLE =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|0x[0-9a-f]+|\b(?=[a-f]{0,40}\d)[0-9a-f]{8,64}\b|(?<=["'`])\/[^"'`\s]{1,200}(?=["'`])|(?<![a-z])\d+(?:[.,:]\d+)*(?:\s?(?:ms|µs|us|ns|s|min|h|[kmg]i?b)\b)?/gi;

/** A path in these messages is what is wrong, not an accident. */
const NAMES_PATH = /module|import|resolve|require|package/i;

/** A message with everything that varies from one time to the next replaced. Linear in its length. */
export function maskedMessage(message: string): string {
  const text = message.slice(0, MAX_MESSAGE_LENGTH);
  if (!/[\d/]/.test(text)) return text;
  const keepsPaths = NAMES_PATH.test(text);
  return text.replace(
    VARIABLE,
    (found) => keepsPaths && found.startsWith("/") ? found : "#",
  );
}

/**
 * A text that is the same for occurrences of one error. The function stands for the place, not the line, which moves
 * with every edit; errors of compilers count by line, because each place is to be repaired.
 */
export function identityOf(
  facts: ErrorFacts,
  frame: SourceFrame | null,
): string {
  const place = frame === null
    ? ""
    : `${frame.file}\n${
      facts.byLine ? frame.line ?? "" : frame.function ?? ""
    }`;
  return `${facts.kind}\n${
    maskedMessage(facts.identity ?? facts.message)
  }\n${place}`;
}
