/**
 * A dispatcher whose answers hold no secrets, unless the caller wants to see them.
 *
 * @module
 */

import { contract } from "../contract/mod.ts";
import type { Scope } from "../contract/operation.ts";
import { AnswerRedactor, isLong } from "../domain/answer_redactor.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { Redactor } from "../domain/redactor.ts";
import { systemClock } from "../kit/clock.ts";
import type { JsonObject } from "../kit/json.ts";
import { Semaphore } from "../kit/semaphore.ts";
import { inLaterTurn } from "../kit/turn.ts";
import type { Caller, Dispatcher } from "./dispatcher.ts";

/** Bulky answers that are put together or redacted at once: each holds up to a hundred thousand lines. */
const BULKY_AT_ONCE = 4;

/** How long a stream goes on with the secrets it knows. */
const STREAM_LOOK_MS = 250;

/** Knows secrets. */
export interface SecretSource {
  /** For answers about a project; null = about any. */
  redactorFor(scope: Scope | null): Promise<Redactor>;
}

/**
 * Answers as `inner` does, with secrets taken out of results, items, progress and errors. What is secret is looked up
 * when there is an answer, so that an action does not tell what it has just learnt. The outermost layer: nothing may be
 * added to an answer behind it.
 */
export function withoutSecrets(
  inner: Dispatcher,
  secrets: SecretSource,
): Dispatcher {
  const limits = {
    bulky: new Semaphore(BULKY_AT_ONCE),
    // One after the other, so that a pile of long answers takes one turn of the event loop at a time.
    long: new Semaphore(1),
  };
  return {
    kindOf: (name) => inner.kindOf(name),
    async call(name, params, caller) {
      if (caller.reveal) return await inner.call(name, params, caller);
      if (specOf(name)?.redacted === false) {
        return await wholeAnswer({ inner, secrets }, [name, params], caller);
      }
      const work = (): Promise<JsonObject> =>
        safeCall({ inner, secrets, limits }, [name, params], caller);
      if (specOf(name)?.bulky !== true) return await work();
      try {
        return await limits.bulky.run(caller.signal, work);
      } catch (error) {
        const isGone = caller.signal.aborted &&
          !(error instanceof TaskmuxError);
        throw isGone ? gone(error) : error;
      }
    },
    async *stream(name, params, caller) {
      if (caller.reveal || specOf(name)?.redacted === false) {
        yield* inner.stream(name, params, caller);
        return;
      }
      const scope = scopeOf(params);
      try {
        yield* safeItems(inner.stream(name, params, caller), {
          look: () => secrets.redactorFor(scope),
        });
      } catch (error) {
        throw safeError(error, await secrets.redactorFor(scope));
      }
    },
  };
}

/** The answer as it is. What is wrong with the question is no part of it. */
async function wholeAnswer(
  { inner, secrets }: Pick<Parts, "inner" | "secrets">,
  [name, params]: readonly [name: string, params: unknown],
  caller: Caller,
): Promise<JsonObject> {
  try {
    const answer = await inner.call(name, params, caller);
    return await safeNews(answer, () => secrets.redactorFor(null));
  } catch (error) {
    throw safeError(error, await secrets.redactorFor(scopeOf(params)));
  }
}

interface Parts {
  readonly inner: Dispatcher;
  readonly secrets: SecretSource;
  readonly limits: { readonly bulky: Semaphore; readonly long: Semaphore };
}

async function safeCall(
  { inner, secrets, limits: { long } }: Parts,
  [name, params]: readonly [name: string, params: unknown],
  caller: Caller,
): Promise<JsonObject> {
  const scope = scopeOf(params);
  // What is told on the way must not wait.
  const early = new AnswerRedactor(await secrets.redactorFor(scope));
  try {
    const answer = await inner.call(name, params, {
      ...caller,
      onProgress: (progress) => caller.onProgress(early.redact(progress)),
    });
    const redactor = new AnswerRedactor(await secrets.redactorFor(scope));
    const { signal } = caller;
    return await safeAnswer(answer, { redactor, long, signal });
  } catch (error) {
    throw safeError(error, await secrets.redactorFor(scope));
  }
}

/** What is added to every answer holds no secrets, whatever the answer itself is made of. */
async function safeNews(
  answer: JsonObject,
  look: () => Promise<Redactor>,
): Promise<JsonObject> {
  const { recent_events: news } = answer;
  if (!Array.isArray(news) || news.length === 0) return answer;
  return {
    ...answer,
    recent_events: new AnswerRedactor(await look()).redact(news),
  };
}

async function safeAnswer(
  answer: JsonObject,
  { redactor, long, signal }: {
    readonly redactor: AnswerRedactor;
    readonly long: Semaphore;
    readonly signal: AbortSignal;
  },
): Promise<JsonObject> {
  if (!Object.values(answer).some(isLong)) return redactor.redact(answer);
  try {
    return await long.run(
      signal,
      () =>
        redactor.redactInTurns(answer, () =>
          new Promise((resolve) => {
            signal.throwIfAborted();
            inLaterTurn(resolve);
          })),
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    throw gone(error);
  }
}

/** Nobody reads this. */
function gone(cause: unknown): TaskmuxError {
  return new TaskmuxError("E600", "Cannot answer: the caller is gone", {
    cause,
  });
}

async function* safeItems(
  items: AsyncIterable<JsonObject>,
  { look }: { look(): Promise<Redactor> },
): AsyncGenerator<JsonObject, void, void> {
  const redactor = new AnswerRedactor(await look());
  let lookedAt = systemClock.monotonic();
  for await (const item of items) {
    const now = systemClock.monotonic();
    if (now - lookedAt >= STREAM_LOOK_MS) {
      redactor.use(await look());
      lookedAt = now;
    }
    yield redactor.redact(item);
  }
}

function safeError(error: unknown, redactor: Redactor): unknown {
  if (!(error instanceof TaskmuxError)) return error;
  const shape = error.toShape();
  const safe = new AnswerRedactor(redactor).redact(shape);
  return safe === shape ? error : TaskmuxError.fromShape(safe);
}

function specOf(
  name: string,
): { readonly redacted?: false; readonly bulky?: true } | null {
  return Object.hasOwn(contract, name)
    ? contract[name as keyof typeof contract]
    : null;
}

/** The project of a question, whatever else is wrong with it; null = any. */
function scopeOf(params: unknown): Scope | null {
  if (typeof params !== "object" || params === null) return null;
  const { scope } = params as { readonly scope?: unknown };
  if (typeof scope !== "object" || scope === null) return null;
  const { config, session } = scope as Record<string, unknown>;
  if (typeof config === "string") return { config };
  return typeof session === "string" ? { session } : null;
}
