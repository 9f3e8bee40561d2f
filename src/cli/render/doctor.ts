/**
 * The answer of `doctor` for people.
 *
 * @module
 */

import type { Finding } from "../../kit/checks.ts";
import type { DoctorReport } from "../../offline/doctor/mod.ts";
import type { Paint } from "./paint.ts";
import { padText, plainText } from "./text.ts";

/** The lines of `doctor`: each finding with what to do about it, then the sum. */
export function doctorLines(report: DoctorReport, paint: Paint): string[] {
  const width = Math.max(...report.checks.map(({ name }) => name.length));
  const { warn, fail } = report.summary;
  const sum = fail + warn === 0
    ? paint("green", "Everything is in order")
    : `${counted(fail, "failure")}, ${counted(warn, "warning")}`;
  return [
    ...report.checks.flatMap((check) => findingLines(check, { width, paint })),
    "",
    sum,
  ];
}

function findingLines(
  { name, status, detail, fix }: Finding,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string[] {
  const sign = status === "ok"
    ? paint("green", "✓")
    : status === "warn"
    ? paint("yellow", "⚠")
    : paint("red", "✗");
  const line = `${sign} ${padText(name, width)}  ${plainText(detail)}`;
  if (fix === null || status === "ok") return [line];
  return [line, `  ${padText("", width)}  ${paint("dim", "fix:")} ${fix}`];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
