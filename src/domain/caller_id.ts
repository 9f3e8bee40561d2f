/**
 * The name that a caller gives itself, so that it is told what is new to it.
 *
 * @module
 */

const CALLER_ID_REGEXP = /^[!-~]{1,128}$/;

/** The rule, for error messages. */
export const CALLER_ID_RULE =
  "a caller's name has 1 to 128 visible ASCII characters";

/** Whether a text can be the name of a caller. */
export function isCallerId(text: string): boolean {
  return CALLER_ID_REGEXP.test(text);
}
