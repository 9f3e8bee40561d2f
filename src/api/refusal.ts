/**
 * Why a frame is not answered with what it asks for, as it goes over the wire.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { ERROR_CODES, type ErrorCode } from "../domain/error_codes.ts";
import type { JsonObject } from "../kit/json.ts";

/** What only this surface refuses, by the word that scripts look for, and the code beside it. */
const REFUSALS = {
  invalid_json: "E500",
  invalid_request: "E500",
  unknown_command: "E500",
  missing_session: "E500",
  missing_task: "E500",
  missing_task_or_command: "E500",
  unknown_subscription: "E500",
  pin_violation: "E500",
  read_only: "E500",
  forbidden: "E500",
  too_many: "E500",
} as const satisfies Record<string, ErrorCode>;

/** A word of {@linkcode REFUSALS}. */
export type RefusalSlug = keyof typeof REFUSALS;

/** A frame that is refused before anything is done. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly slug: RefusalSlug;
  readonly hint: string | undefined;

  constructor(slug: RefusalSlug, message: string, hint?: string) {
    super(message);
    this.slug = slug;
    this.hint = hint;
  }

  /** The keys of an answer that refuses. */
  toAnswer(): JsonObject {
    return {
      ok: false,
      error: this.slug,
      error_code: REFUSALS[this.slug],
      message: this.message,
      ...this.hint === undefined ? {} : { hint: this.hint },
    };
  }
}

/** The keys of an answer that tells an error. Anything but what is meant for callers is thrown on. */
export function answerOfError(error: unknown): JsonObject {
  if (error instanceof Refusal) return error.toAnswer();
  if (!(error instanceof TaskmuxError)) throw error;
  // Events are not told here: whoever asks collects them.
  const { error: message, error_code, hint, details } = error.toShape();
  return {
    ok: false,
    error: slugOf(error),
    error_code,
    message,
    ...hint === undefined ? {} : { hint },
    ...details === undefined ? {} : { details },
  };
}

/** The word for an error; of parameters that do not fit, and of operations that there are not, the original's. */
function slugOf({ code, details }: TaskmuxError): string {
  return details?.["refused"] === "operation"
    ? "unknown_command"
    : ERROR_CODES[code].slug;
}
