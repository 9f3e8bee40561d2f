/**
 * The answer of `check` for people.
 *
 * @module
 */

import type { CheckIssue, CheckResult } from "../check_config.ts";
import type { Paint } from "./paint.ts";

/** The lines of `check`: each finding, then the sum. */
export function checkLines(result: CheckResult, paint: Paint): string[] {
  const { errors, warnings, task_count } = result;
  const lines = [
    ...errors.map((issue) => issueLine(issue, paint("red", "✗"))),
    ...warnings.map((issue) => issueLine(issue, paint("yellow", "⚠"))),
  ];
  const tasks = task_count === null ? "" : ` in ${counted(task_count, "task")}`;
  if (errors.length > 0) {
    return [
      ...lines,
      `${counted(errors.length, "error")}, ${
        counted(warnings.length, "warning")
      }${tasks}`,
    ];
  }
  if (warnings.length > 0) {
    return [...lines, `${counted(warnings.length, "warning")}${tasks}`];
  }
  return [
    `${paint("green", "✓")} config OK (${counted(task_count ?? 0, "task")})`,
  ];
}

function issueLine(issue: CheckIssue, sign: string): string {
  const place = issue.line === undefined
    ? ""
    : ` line ${issue.line}${
      issue.column === undefined ? "" : `:${issue.column}`
    }`;
  const task = issue.task === null ? "" : ` ${issue.task}`;
  const hint = issue.hint === undefined ? "" : ` (${issue.hint})`;
  return `${sign} ${issue.code}${task}${place}: ${issue.message}${hint}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
