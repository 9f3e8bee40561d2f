/**
 * The one error type that crosses layers, and the factory that words every error.
 *
 * A code is for programs, the message for people, the hint is the next command to type, the cause is for the log.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import type { ErrorCode } from "./error_codes.ts";
import type { RecentEvents } from "./recent_events.ts";

/** What an error carries beside its code and message. */
export interface TaskmuxErrorOptions {
  /** The next thing to do, as one sentence or command line. */
  readonly hint?: string;
  /** Facts for programs. */
  readonly details?: JsonObject;
  /** What led here. Goes to the log, never to the user. */
  readonly cause?: unknown;
  /** What is new to the caller. */
  readonly recent?: RecentEvents | undefined;
}

/** The shape of an error on every wire and in `--json` output. */
export interface ErrorShape extends Partial<RecentEvents> {
  readonly ok: false;
  readonly error_code: ErrorCode;
  readonly error: string;
  readonly hint?: string;
  readonly details?: JsonObject;
}

/** An error with a stable code. The only kind that is thrown across a layer. */
export class TaskmuxError extends Error {
  override readonly name = "TaskmuxError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: JsonObject | undefined;
  readonly recent: RecentEvents | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: TaskmuxErrorOptions = {},
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
    this.recent = options.recent;
  }

  /** The same error for a caller to whom this is new. */
  withRecent(recent: RecentEvents): TaskmuxError {
    const { code, message, hint, details, cause } = this;
    return new TaskmuxError(code, message, {
      ...(hint === undefined ? {} : { hint }),
      ...(details === undefined ? {} : { details }),
      ...(cause === undefined ? {} : { cause }),
      recent,
    });
  }

  /** The error as it goes over a wire. */
  toShape(): ErrorShape {
    return {
      ok: false,
      error_code: this.code,
      error: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
      ...this.recent,
    };
  }

  /** The inverse of {@linkcode toShape}. */
  static fromShape(shape: ErrorShape): TaskmuxError {
    const { recent_events, recent_events_omitted } = shape;
    return new TaskmuxError(shape.error_code, shape.error, {
      ...(shape.hint === undefined ? {} : { hint: shape.hint }),
      ...(shape.details === undefined ? {} : { details: shape.details }),
      ...(recent_events === undefined ? {} : {
        recent: {
          recent_events,
          ...(recent_events_omitted === undefined
            ? {}
            : { recent_events_omitted }),
        },
      }),
    });
  }
}
