/**
 * Waiting for a condition: the only way in which a test waits for something that sends no event.
 *
 * @module
 */

/** How {@linkcode until} waits. */
export interface UntilOptions {
  /** What is waited for, for the error message. */
  readonly what?: string;
  /** Milliseconds after which the condition counts as never met. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Far beyond what a slow machine needs, so that a failure is a failure. */
const TIMEOUT_MS = 20_000;

/** Pause between two looks. */
const POLL_MS = 5;

/**
 * Asks the condition again and again until its answer is neither false, null nor undefined, and returns that answer.
 *
 * @throws What the condition throws, at once; an Error that names `what` and the last answer at the deadline.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { timeoutMs = TIMEOUT_MS, what = condition.toString() } = options;
  const deadline = performance.now() + timeoutMs;
  while (true) {
    options.signal?.throwIfAborted();
    const answer = await condition();
    if (isMet(answer)) return answer;
    if (performance.now() >= deadline) {
      throw new Error(
        `Cannot see "${what}" within ${timeoutMs} ms: last answer was ${
          Deno.inspect(answer)
        }`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function isMet<T>(answer: T): answer is Exclude<T, false | null | undefined> {
  return answer !== false && answer !== null && answer !== undefined;
}
