/**
 * The exit status of an answer.
 *
 * @module
 */

import { ERROR_CODES, EXIT } from "../domain/error_codes.ts";

/** What of an answer decides. */
interface Outcome {
  readonly ok: boolean;
  readonly error_code?: string | undefined;
  readonly results?: readonly Outcome[] | undefined;
}

/** 0 if it is ok; else by the code of the answer itself, or of the first part of it that failed. */
export function exitStatus(outcome: Outcome): number {
  if (outcome.ok) return EXIT.ok;
  const code = outcome.error_code ??
    outcome.results?.find((part) => !part.ok)?.error_code;
  return code !== undefined && isErrorCode(code)
    ? ERROR_CODES[code].exit
    : EXIT.failure;
}

function isErrorCode(code: string): code is keyof typeof ERROR_CODES {
  return Object.hasOwn(ERROR_CODES, code);
}
