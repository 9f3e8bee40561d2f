/**
 * A frame with a command of the Python original, and what answering one takes.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { JsonObject } from "../kit/json.ts";
import type { Asker } from "./asker.ts";
import { asJson } from "./original_shapes.ts";
import { answerOfError } from "./refusal.ts";

/** What a command gets. */
export interface Question {
  readonly params: JsonObject;
  readonly asker: Asker;
}

/** A question about one project. */
export interface ProjectQuestion extends Question {
  readonly session: string;
  readonly scope: { readonly session: string };
}

/** Answers a frame; the keys beside `id`, `command` and `session`. */
export type Answer<Q> = (question: Q) => Promise<JsonObject>;

/**
 * The result of an action; what it failed with is a result as well, as in the original, beside the keys that every
 * failure has. That there is no such project is thrown on.
 */
export async function resultOf(
  work: () => Promise<object>,
): Promise<JsonObject> {
  try {
    const result = asJson(await work());
    return { ok: result["ok"] !== false, result };
  } catch (error) {
    if (!(error instanceof TaskmuxError) || error.code === "E303") throw error;
    const { recent_events: _, recent_events_omitted: __, ...result } = error
      .toShape();
    // They stand in the result.
    const { details: ___, ...told } = answerOfError(error);
    return { ...told, result: asJson(result) };
  }
}

/** A text among the parameters; null = none. */
export function textIn(params: JsonObject, name: string): string | null {
  const value = params[name] ?? null;
  if (value === null || typeof value === "string") return value;
  throw new TaskmuxError("E500", `Cannot read ${name}: it is no text`);
}

/** A number among the parameters. */
export function numberIn(
  params: JsonObject,
  name: string,
  usual: number,
): number {
  const value = params[name] ?? usual;
  if (typeof value === "number") return value;
  throw new TaskmuxError("E500", `Cannot read ${name}: it is no number`);
}
