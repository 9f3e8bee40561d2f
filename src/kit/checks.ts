/**
 * Checks that find out what is wrong: run side by side, each in bounded time, none of them able to fail the others.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { settledWithin } from "./deadline.ts";

/** How something is. `warn`: it works, but not as well as it could. */
export type Verdict = "ok" | "warn" | "fail";

/** What a check found. */
export interface Finding {
  readonly name: string;
  readonly status: Verdict;
  /** What is, in words. */
  readonly detail: string;
  /** A command to type; null where there is nothing to do. */
  readonly fix: string | null;
}

/** What a check answers: one of its own kind, or several. */
export type CheckAnswer = Omit<Finding, "name">;

/** One check of a world. */
export interface Check<World> {
  /** Stable, lower case, such as `home`. */
  readonly name: string;
  /**
   * Looks, and changes nothing. Several answers give several findings of the same name.
   *
   * @param signal Aborts when the time for it is over.
   */
  run(
    world: World,
    signal: AbortSignal,
  ): Promise<CheckAnswer | readonly CheckAnswer[]>;
}

/** How checks are run. */
export interface RunChecksOptions {
  readonly clock: Clock;
  /** Time for each of them in milliseconds. */
  readonly limitMs: number;
  /** Fix of a check that broke or took too long. */
  readonly lastResort: string;
}

/** The findings of all checks, in their order. Takes no longer than the slowest of them, and never throws. */
export async function runChecks<World>(
  checks: readonly Check<World>[],
  world: World,
  options: RunChecksOptions,
): Promise<Finding[]> {
  const found = await Promise.all(checks.map(async (check) => {
    const answers = await runCheck(check, world, options);
    return answers.map((answer) => ({ name: check.name, ...answer }));
  }));
  return found.flat();
}

async function runCheck<World>(
  check: Check<World>,
  world: World,
  { clock, limitMs, lastResort }: RunChecksOptions,
): Promise<readonly CheckAnswer[]> {
  const over = new AbortController();
  // Settled in either case, because nobody may look any more.
  const answering = Promise.try(() => check.run(world, over.signal)).then(
    (answer) => [answer].flat(),
    (error) => {
      const message = error instanceof Error ? error.message : String(error);
      return [failed(`cannot be checked: ${message}`, lastResort)];
    },
  );
  const isInTime = await settledWithin(answering, {
    clock,
    ms: limitMs,
    signal: over.signal,
  });
  over.abort();
  if (isInTime) return await answering;
  return [failed(`no answer within ${limitMs / 1000} s`, lastResort)];
}

/** All is well. */
export function passed(detail: string): CheckAnswer {
  return { status: "ok", detail, fix: null };
}

/** It works, with a reservation. */
export function warned(detail: string, fix: string | null): CheckAnswer {
  return { status: "warn", detail, fix };
}

/** It does not work. */
export function failed(detail: string, fix: string): CheckAnswer {
  return { status: "fail", detail, fix };
}
