/**
 * Collects what is wrong with a configuration file, so that the user hears all of it at once.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { ErrorCode } from "../domain/error_codes.ts";
import type { JsonObject } from "../kit/json.ts";
import type { TomlDocument, TomlPath } from "./toml_document.ts";
import { formatPath } from "./toml_value.ts";

/** Most problems told in one error. */
export const MAX_PROBLEMS = 100;

/** One thing that is wrong. */
export interface Problem {
  readonly code: ErrorCode;
  /** A sentence without the place. */
  readonly message: string;
  readonly path: TomlPath;
  /** Whether the key is wrong, or its value. */
  readonly part: "key" | "value";
  readonly hint?: string;
}

/** A problem with its place, as it stands in an error's `details.problems`. */
export interface LocatedProblem {
  readonly code: ErrorCode;
  readonly message: string;
  /** Dotted path of the key. */
  readonly key: string;
  readonly line: number;
  readonly column: number;
  readonly hint?: string;
}

/** Problems of one document. */
export class ProblemList {
  #problems: Problem[] = [];

  /** Adds a problem. The order of adding does not matter, unless two are at one place. */
  add(problem: Problem): void {
    this.#problems.push(problem);
  }

  /** Whether nothing is wrong. */
  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  /** Takes the problems with a code out of the list, for whom they are no errors. */
  take(code: ErrorCode, document: TomlDocument): LocatedProblem[] {
    const taken = new ProblemList();
    taken.#problems = this.#problems.filter((one) => one.code === code);
    this.#problems = this.#problems.filter((one) => one.code !== code);
    return taken.locate(document);
  }

  /** The problems in the order of the file, at most {@linkcode MAX_PROBLEMS}. */
  locate(document: TomlDocument): LocatedProblem[] {
    return this.#inOrder(document).slice(0, MAX_PROBLEMS).map(
      ({ problem, offset }) => ({
        code: problem.code,
        message: problem.message,
        key: formatPath(problem.path),
        ...document.positionOf(offset),
        ...(problem.hint === undefined ? {} : { hint: problem.hint }),
      }),
    );
  }

  /**
   * Throws all problems as one error, if there are any. Its code is that of the first in the file.
   *
   * @throws {TaskmuxError} With `details.problems`, and `details.keys` when keys are unknown.
   */
  throwIfAny(document: TomlDocument): void {
    if (this.isEmpty) return;
    const located = this.locate(document);
    const first = located[0]!;
    const total = this.#problems.length;
    const unknown = this.#problems
      .filter((problem) => problem.code === "E103")
      .map((problem) => formatPath(problem.path))
      .sort();
    const details: JsonObject = {
      path: document.path,
      line: first.line,
      column: first.column,
      problems: located.map((problem) => ({ ...problem })),
      ...(total > located.length ? { problem_count: total } : {}),
      ...(unknown.length > 0 ? { keys: unknown } : {}),
    };
    const hint = total === 1 ? first.hint : undefined;
    throw new TaskmuxError(first.code, summary(document.path, located, total), {
      ...(hint === undefined ? {} : { hint }),
      details,
    });
  }

  #inOrder(document: TomlDocument): { problem: Problem; offset: number }[] {
    return this.#problems
      .map((problem) => ({
        problem,
        offset: document.offsetOf(problem.path, problem.part),
      }))
      .sort((a, b) => a.offset - b.offset);
  }
}

function summary(
  path: string,
  located: readonly LocatedProblem[],
  total: number,
): string {
  const file = path.slice(path.lastIndexOf("/") + 1);
  const first = located[0]!;
  if (total === 1) {
    return `${first.message} (${file}:${first.line}:${first.column})`;
  }
  const lines = located.map((problem) => {
    const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
    return `${file}:${problem.line}:${problem.column} ${problem.message}${hint}`;
  });
  if (total > located.length) lines.push(`and ${total - located.length} more`);
  return [`Cannot use "${path}": ${total} problems`, ...lines].join("\n");
}
