/**
 * A limit in time for code that cannot be asked to stop, such as a regular expression of a user.
 *
 * V8 interrupts the code itself, so neither `catch` nor `finally` within it runs: what it changes may be left half done.
 * Give it only work that reads and computes.
 *
 * @module
 */

import type { Script } from "node:vm";

/** The work took longer than it may. */
export class TimeLimitError extends Error {
  override readonly name = "TimeLimitError";

  /** @param ms The limit. */
  constructor(ms: number) {
    super(`Cannot go on: it took longer than ${ms} ms`);
  }
}

/** Where the script finds its work, for the length of one call. */
const JOB = Symbol.for("taskmux.time_limit.job");

const SOURCE = 'globalThis[Symbol.for("taskmux.time_limit.job")]()';

/** The script that calls the job. Made at its first use: few need it, and the module is a third of what they load. */
class LazyScript {
  #made: Script | null = null;

  get script(): Script {
    if (this.#made !== null) return this.#made;
    const { Script } = globalThis.process.getBuiltinModule("node:vm");
    return this.#made = new Script(SOURCE);
  }
}

const CALLER = new LazyScript();

/**
 * Runs `job`, which is synchronous, and gives its result. Costs about 15 µs beside it.
 *
 * @param ms Milliseconds of wall time, at least 1.
 * @throws {TimeLimitError} When it takes longer; what it has done until then stays done.
 */
export function withinTime<T>(ms: number, job: () => T): T {
  const slots = globalThis as Record<symbol, unknown>;
  const outer = slots[JOB];
  slots[JOB] = job;
  try {
    return CALLER.script.runInThisContext({ timeout: ms }) as T;
  } catch (error) {
    if (isTimeout(error)) throw new TimeLimitError(ms);
    throw error;
  } finally {
    slots[JOB] = outer;
  }
}

function isTimeout(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error &&
    error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
}
