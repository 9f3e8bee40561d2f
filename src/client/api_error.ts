/**
 * The error of the client for scripts.
 *
 * @module
 */

/** What an answer that refuses says beside its message. */
export interface ApiErrorFacts {
  /** Code of taskmux, such as `E200`; `docs` and README have them all. */
  readonly code: string;
  /** Stable word, such as `unknown_task`. */
  readonly slug: string;
  /** The next thing to do. */
  readonly hint?: string | undefined;
  /** Facts for programs. */
  readonly details?: unknown;
}

/** The daemon refused, or cannot be reached (`E600`). */
export class ApiError extends Error {
  /** Always `ApiError`. */
  override readonly name: string = "ApiError";
  /** Code of taskmux, such as `E200`. */
  readonly code: string;
  /** Stable word, such as `unknown_task`. */
  readonly slug: string;
  /** The next thing to do. */
  readonly hint: string | undefined;
  /** Facts for programs. */
  readonly details: unknown;

  /** An error with its message. */
  constructor(message: string, facts: ApiErrorFacts) {
    super(message);
    this.code = facts.code;
    this.slug = facts.slug;
    this.hint = facts.hint;
    this.details = facts.details;
  }
}

/** Nobody answers, or no more. What was asked may have been done. */
export function unreachable(message: string): ApiError {
  return new ApiError(message, {
    code: "E600",
    slug: "daemon_unreachable",
    hint: "taskmux daemon start",
  });
}

/** Whether an error only says that there is no connection. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && error.code === "E600";
}
