/**
 * Everything that is wrong or odd about a `taskmux.toml`, as one answer.
 *
 * @module
 */

import { type Issue, lintProject } from "../config/lint.ts";
import type { LocatedProblem } from "../config/problem.ts";
import { loadProject } from "../config/project_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ErrorCode } from "../domain/error_codes.ts";

/** One finding. Line and column only where the file itself is wrong. */
export interface CheckIssue {
  readonly severity: "error" | "warning";
  /** An error code, or the name of the finding. */
  readonly code: string;
  readonly task: string | null;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
  readonly hint?: string;
}

/** The answer of `check`. */
export interface CheckResult {
  readonly ok: boolean;
  readonly config: string;
  readonly errors: readonly CheckIssue[];
  readonly warnings: readonly CheckIssue[];
  readonly task_count: number | null;
  /** Present when it is not ok, as in every failed answer. */
  readonly error_code?: ErrorCode;
  readonly error?: string;
  readonly hint?: string;
}

/**
 * Checks a file: first what it says, then, if that can be read, whether the machine has what it names.
 *
 * @throws {TaskmuxError} E100 if there is no such file; everything else is part of the answer.
 */
export async function checkConfig(
  config: string,
  env: Readonly<Record<string, string>>,
): Promise<CheckResult> {
  try {
    const project = await loadProject(config, { home: env["HOME"] });
    const issues = await lintProject(project, {
      searchPath: env["PATH"],
    });
    const errors = issues.filter(({ severity }) => severity === "error");
    const [first] = errors;
    return {
      ok: first === undefined,
      config,
      errors,
      warnings: issues.filter(({ severity }) => severity === "warning"),
      task_count: project.tasks.size,
      ...first === undefined ? {} : {
        error_code: codeOf(first),
        error: `${first.message} (${first.task})`,
      },
    };
  } catch (error) {
    if (!(error instanceof TaskmuxError) || error.code === "E100") throw error;
    const { error_code, error: message, hint } = error.toShape();
    return {
      ok: false,
      config,
      errors: structuralIssues(error),
      warnings: [],
      task_count: null,
      error_code,
      error: message,
      ...hint === undefined ? {} : { hint },
    };
  }
}

/** What starting the task would fail with. */
function codeOf({ code }: Issue): ErrorCode {
  return code === "env_file_missing" ? "E104" : "E213";
}

function structuralIssues(error: TaskmuxError): CheckIssue[] {
  const { details, code, message, hint } = error;
  const problems = details?.["problems"] as unknown as
    | readonly LocatedProblem[]
    | undefined;
  if (problems === undefined) {
    const { line, column } = details ?? {};
    return [{
      severity: "error",
      code,
      task: null,
      message,
      ...typeof line === "number" ? { line } : {},
      ...typeof column === "number" ? { column } : {},
      ...hint === undefined ? {} : { hint },
    }];
  }
  return problems.map(({ key, ...problem }) => ({
    severity: "error",
    task: taskOf(key),
    ...problem,
  }));
}

/** The task of a dotted key such as `tasks.web.command`. */
function taskOf(key: string): string | null {
  return /^tasks\.(?:"([^"]+)"|([^.]+))/.exec(key)?.slice(1)
    .find((name) => name !== undefined) ?? null;
}
