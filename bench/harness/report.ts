/**
 * Measurements as a page of Markdown.
 *
 * @module
 */

import type { Bar, Section } from "./scenario.ts";

/** A section and the state of the machine around it. */
export interface MeasuredSection {
  readonly section: Section;
  /** Share of the cores that others used just before and just after, 0 to 1. */
  readonly busyBefore: number;
  readonly busyAfter: number;
  readonly seconds: number;
  /** How often it was measured until the machine was calm, or there were no more attempts. */
  readonly attempt: number;
}

/** The whole page. */
export interface Report {
  /** Facts about machine and programs, name and value. */
  readonly facts: readonly (readonly [string, string])[];
  readonly sections: readonly MeasuredSection[];
  readonly missing: readonly string[];
  /** In which way each program's settings differ from its defaults. */
  readonly settings: readonly (readonly [string, string])[];
}

/** Others that use more than this share of the cores make a number doubtful. */
export const NOISY_SHARE = 0.15;

/** The page. */
export function renderReport(report: Report): string {
  const { facts, sections, missing, settings } = report;
  const noisy = sections.filter(({ busyBefore, busyAfter }) =>
    Math.max(busyBefore, busyAfter) > NOISY_SHARE
  );
  return [
    "# Results",
    "Written by `deno task bench`; not edited by hand. Sides are measured in " +
    "turns (A-B-B-A) in the same run, so ratios mean more than the times " +
    "they are made of. Every process of taskmux has the permissions it has " +
    "in earnest.",
    table(["", ""], facts),
    missing.length === 0 ? "" : `Not installed here: ${missing.join(", ")}.`,
    "Settings beside the defaults:",
    settings.map(([name, text]) => `- ${name}: ${text}`).join("\n"),
    noisy.length === 0
      ? "The machine was calm just before and just after each measurement."
      : `Noise: others used more than ${NOISY_SHARE * 100} % of the machine ` +
        `just before or after ${
          noisy.map(({ section }) => section.title).join("; ")
        }.`,
    "## Bars",
    table(
      ["", "", "bar", "measured", ""],
      sections.flatMap(({ section }) =>
        section.bars.map((bar, index) => [
          index === 0 ? section.title : "",
          bar.what,
          bar.bar,
          bar.measured,
          verdict(bar),
        ])
      ),
    ),
    ...sections.flatMap(renderSection),
  ].filter((part) => part !== "").join("\n\n") + "\n";
}

/** How many bars are met, missed and unmeasured. */
export function countBars(
  sections: readonly MeasuredSection[],
): { readonly met: number; readonly missed: number; readonly open: number } {
  const bars = sections.flatMap(({ section }) => section.bars);
  return {
    met: bars.filter(({ met }) => met === true).length,
    missed: bars.filter(({ met }) => met === false).length,
    open: bars.filter(({ met }) => met === null).length,
  };
}

function verdict({ met }: Bar): string {
  if (met === null) return "–";
  return met ? "met" : "**missed**";
}

function renderSection(
  { section, busyBefore, busyAfter, seconds, attempt }: MeasuredSection,
): string[] {
  return [
    `## ${section.title}`,
    section.how,
    section.rows.length === 0 ? "" : table(section.columns, section.rows),
    section.remarks.map((remark) => `- ${remark}`).join("\n"),
    `Took ${seconds.toFixed(0)} s; others used ${percent(busyBefore)} of the ` +
    `machine just before, ${percent(busyAfter)} just after` +
    `${attempt === 1 ? "" : `; attempt ${attempt}`}.`,
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function table(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)]
    .join("\n");
}
