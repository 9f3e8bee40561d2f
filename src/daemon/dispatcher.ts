/**
 * The only gate to the daemon's operations: known name, valid parameters, handler, one shape of error.
 *
 * @module
 */

import type { z } from "zod";
import {
  type CallName,
  contract,
  type Name,
  type Params,
  type Result,
  type StreamName,
} from "../contract/mod.ts";
import type { Progress } from "../contract/wire.ts";
import { CALLER_ID_RULE, isCallerId } from "../domain/caller_id.ts";
import { diskError } from "../domain/disk_error.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { Settle } from "../domain/recent_events.ts";
import { closest } from "../kit/did_you_mean.ts";
import type { JsonObject } from "../kit/json.ts";

/** What a handler gets beside its parameters. */
export interface CallContext {
  /**
   * Aborts when nobody waits any more. For a call with an effect that is the end of the daemon only: what was begun is
   * brought to its end, whoever goes away meanwhile. Aborts as well once the call is over.
   */
  readonly signal: AbortSignal;
  /** The name that the caller gave itself; null = none. */
  readonly caller: string | null;
  /** Whether the caller may see secrets, and wants to. */
  readonly reveal: boolean;
  readonly onProgress: (progress: Progress) => void;
}

/** A caller, as transports know one. */
export interface Caller {
  /** The name it gave itself; null = none. */
  readonly caller: string | null;
  /** Whether it may see secrets, and wants to. */
  readonly reveal: boolean;
  /** Aborts when the caller goes away or withdraws. */
  readonly signal: AbortSignal;
  /** Aborts when the daemon ends. */
  readonly lifetime: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** The answer has events in it. `settle` is to be called once it has arrived, or was lost; see `caller_news.ts`. */
  readonly onNews: (settle: Settle) => void;
  /** Who asks, for the log; see `with_audit.ts`. Absent = it is not logged. */
  readonly label?: string | undefined;
  /** The project whose events are news to the caller, whatever the question is about; absent = that of the question. */
  readonly newsOf?: string | undefined;
}

/** One handler per operation; a missing one does not compile. */
export type Handlers =
  & {
    readonly [N in CallName]: (
      params: Params<N>,
      context: CallContext,
    ) => Promise<Result<N>>;
  }
  & {
    readonly [N in StreamName]: (
      params: Params<N>,
      context: CallContext,
    ) => AsyncIterable<Result<N>>;
  };

/** What transports see. */
export interface Dispatcher {
  /**
   * Answers a call.
   *
   * @throws {TaskmuxError} Always of this type; E500 for an unknown operation or invalid parameters, E900 for our own mistakes.
   */
  call(
    name: string,
    params: unknown,
    caller: Caller,
  ): Promise<JsonObject>;
  /** Answers a stream; see {@linkcode call} for errors. */
  stream(
    name: string,
    params: unknown,
    caller: Caller,
  ): AsyncIterable<JsonObject>;
  /** Whether an operation answers once or many times; null = unknown. */
  kindOf(name: string): "call" | "stream" | null;
}

/** A dispatcher over handlers. `onError` gets what is nobody's fault but ours. */
export function createDispatcher(
  handlers: Handlers,
  onError: (error: unknown, operation: string) => void,
): Dispatcher {
  return {
    kindOf: (name) => isName(name) ? contract[name].kind : null,
    async call(name, params, { onProgress, ...caller }) {
      checkCaller(caller.caller);
      const known = requireName(name);
      const parsed = parseParams(known, params);
      const handler = handlers[known] as (
        params: unknown,
        context: CallContext,
      ) => Promise<JsonObject>;
      const goesOn = contract[known].effect !== "none";
      const waiting = goesOn ? caller.lifetime : caller.signal;
      const over = new AbortController();
      const signal = AbortSignal.any([waiting, over.signal]);
      try {
        return await handler(parsed, {
          signal,
          caller: caller.caller,
          reveal: caller.reveal,
          onProgress,
        });
      } catch (error) {
        throw mapped(error, {
          name,
          signal,
          lifetime: caller.lifetime,
          onError,
        });
      } finally {
        over.abort(new DOMException("The call is over", "AbortError"));
      }
    },
    async *stream(name, params, context) {
      checkCaller(context.caller);
      const known = requireName(name);
      const parsed = parseParams(known, params);
      const handler = handlers[known] as (
        params: unknown,
        context: CallContext,
      ) => AsyncIterable<JsonObject>;
      try {
        yield* handler(parsed, context);
      } catch (error) {
        throw mapped(error, { ...context, name, onError });
      }
    },
  };
}

/** What a failure is to the caller. */
function mapped(
  error: unknown,
  { name, signal, lifetime, onError }: {
    readonly name: string;
    readonly signal: AbortSignal;
    readonly lifetime: AbortSignal;
    readonly onError: (error: unknown, operation: string) => void;
  },
): TaskmuxError {
  if (lifetime.aborted) {
    return new TaskmuxError(
      "E600",
      `Cannot tell how ${name} ends: the daemon ended meanwhile`,
      { hint: "taskmux status" },
    );
  }
  if (signal.aborted) {
    // Nobody reads this; it must only not look like a mistake of ours.
    return new TaskmuxError("E600", `Cannot do ${name}: the caller is gone`);
  }
  if (error instanceof TaskmuxError) {
    if (error.code === "E900") onError(error, name);
    return error;
  }
  const trouble = diskError(error);
  if (trouble !== null) return trouble;
  onError(error, name);
  return new TaskmuxError("E900", `Cannot do ${name}: internal error`, {
    hint: "See daemon.log in the state folder",
    cause: error,
  });
}

function checkCaller(caller: string | null): void {
  if (caller === null || isCallerId(caller)) return;
  throw new TaskmuxError(
    "E500",
    `Cannot answer caller "${caller}": ${CALLER_ID_RULE}`,
    {
      details: { refused: "caller" },
    },
  );
}

function isName(name: string): name is Name {
  return Object.hasOwn(contract, name);
}

function requireName(name: string): Name {
  if (isName(name)) return name;
  const near = closest(name, Object.keys(contract));
  throw new TaskmuxError("E500", `Cannot do "${name}": unknown operation`, {
    ...(near === null ? {} : { hint: `did you mean "${near}"?` }),
    details: { refused: "operation" },
  });
}

function parseParams(name: Name, params: unknown): unknown {
  const schema: z.ZodType = contract[name].params;
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) =>
    `${issue.path.join(".") || "params"}: ${issue.message}`
  );
  throw new TaskmuxError("E500", `Cannot do ${name}: ${problems.join("; ")}`, {
    details: { refused: "params", problems },
  });
}
