/**
 * What a scenario is given, and what it hands back for the report.
 *
 * @module
 */

import type { Subject } from "../subjects/subject.ts";

/** What scenarios are given. */
export interface BenchContext {
  /** taskmux of this checkout. */
  readonly taskmux: Subject;
  /** What was found beside it, in a fixed order. */
  readonly peers: readonly Subject[];
  /** Path of ripgrep; null if there is none. */
  readonly ripgrep: string | null;
  /** A smaller measurement that only shows whether things work. */
  readonly quick: boolean;
  /** Measured at once, whatever others do on the machine. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  /** Tells a person what is being done. */
  tell(text: string): void;
}

/** A promise in numbers and whether it was kept. */
export interface Bar {
  readonly what: string;
  readonly bar: string;
  readonly measured: string;
  /** Null if it could not be measured. */
  readonly met: boolean | null;
}

/** One measurement in the report. */
export interface Section {
  readonly title: string;
  /** What was measured, and how, in sentences. */
  readonly how: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly bars: readonly Bar[];
  readonly remarks: readonly string[];
}

/** One measurement. */
export interface Scenario {
  readonly name: string;
  run(context: BenchContext): Promise<Section>;
}

/** taskmux first, then the peers. */
export function allSubjects(context: BenchContext): Subject[] {
  return [context.taskmux, ...context.peers];
}

/** A bar on a number: met if it is at most, or at least, the limit. */
export function bar(
  what: string,
  value: number,
  limit: { readonly atMost: number } | { readonly atLeast: number },
  unit: string = "",
): Bar {
  const isUpper = "atMost" in limit;
  const bound = isUpper ? limit.atMost : limit.atLeast;
  const suffix = unit === "" ? "" : ` ${unit}`;
  return {
    what,
    bar: `${isUpper ? "≤" : "≥"} ${bound}${suffix}`,
    measured: Number.isFinite(value)
      ? `${value.toFixed(value < 10 ? 2 : 1)}${suffix}`
      : "not measured",
    met: !Number.isFinite(value)
      ? null
      : isUpper
      ? value <= bound
      : value >= bound,
  };
}
