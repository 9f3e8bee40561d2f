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
import type { Dispatcher } from "./dispatcher.ts";

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
  // One after the other, so that a pile of long answers takes one turn of the event loop at a time.
  const long = new Semaphore(1);
  return {
    kindOf: (name) => inner.kindOf(name),
    async call(name, params, caller) {
      if (caller.reveal || isShown(name)) {
        return await inner.call(name, params, caller);
      }
      const scope = scopeOf(params);
      // What is told on the way must not wait.
      const early = new AnswerRedactor(await secrets.redactorFor(scope));
      try {
        const answer = await inner.call(name, params, {
          ...caller,
          onProgress: (progress) => caller.onProgress(early.redact(progress)),
        });
        const redactor = await secrets.redactorFor(scope);
        return await safeAnswer(answer, {
          redactor: new AnswerRedactor(redactor),
          long,
          signal: caller.signal,
        });
      } catch (error) {
        throw safeError(error, await secrets.redactorFor(scope));
      }
    },
    async *stream(name, params, caller) {
      if (caller.reveal || isShown(name)) {
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
    // Nobody reads this.
    throw new TaskmuxError("E600", "Cannot answer: the caller is gone");
  }
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

function isShown(name: string): boolean {
  return Object.hasOwn(contract, name) &&
    contract[name as keyof typeof contract].redacted === false;
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
