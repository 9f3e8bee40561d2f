/**
 * The matrix as Markdown, and its place in the page for users.
 *
 * @module
 */

import { REPOSITORY } from "../../tests/support/deno_flags.ts";
import type { FaultScenario } from "./fault_scenario.ts";

/** A row with its cells, one for each subject. */
export interface FaultRow {
  readonly scenario: FaultScenario;
  readonly cells: readonly string[];
}

/** The whole matrix. */
export interface FaultMatrix {
  /** Name and version of each subject, and how it was set up. */
  readonly subjects: readonly {
    readonly name: string;
    readonly version: string;
    readonly settings: string;
  }[];
  readonly rows: readonly FaultRow[];
  readonly missing: readonly string[];
  /** Machine and date, in a line. */
  readonly facts: string;
}

/** The page that users read. */
export const PAGE = `${REPOSITORY}/docs/reliability.md`;

const BEGIN = "<!-- faults: begin, written by `deno task faults --peers` -->";
const END = "<!-- faults: end -->";

/** The matrix: a table a fault, since cells are sentences and there are many subjects. */
export function renderMatrix(matrix: FaultMatrix): string {
  const { subjects, rows, missing, facts } = matrix;
  return [
    facts,
    `Versions: ${
      subjects.map(({ name, version }) => `${name} ${version}`).join(", ")
    }.` +
    (missing.length === 0 ? "" : ` Not installed here: ${missing.join(", ")}.`),
    ...rows.flatMap(({ scenario, cells }) => [
      `### ${scenario.name}: ${scenario.title}`,
      scenario.how,
      table(
        ["", "result"],
        subjects.map(({ name }, index) => [name, cells[index] ?? ""]),
      ),
    ]),
    "### Settings beside the defaults",
    subjects.map(({ name, settings }) => `- ${name}: ${settings}`).join("\n"),
  ].join("\n\n");
}

/** Puts the text between the markers of the page, and formats it. */
export async function writeMatrix(text: string): Promise<void> {
  const page = await Deno.readTextFile(PAGE);
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) {
    throw new Error(`Cannot write into ${PAGE}: it has no markers`);
  }
  const before = page.slice(0, begin + BEGIN.length);
  await Deno.writeTextFile(PAGE, `${before}\n\n${text}\n\n${page.slice(end)}`);
  await new Deno.Command("deno", { args: ["fmt", "--quiet", PAGE] }).output();
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
