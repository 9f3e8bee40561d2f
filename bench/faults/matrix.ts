/**
 * The matrix as Markdown, and its place in the page for users.
 *
 * @module
 */

import { REPOSITORY } from "../../tests/support/deno_flags.ts";
import type { FaultScenario } from "./fault_scenario.ts";
import type { FaultResults } from "./results.ts";

/** What the tables are made of. */
export interface FaultMatrix {
  readonly scenarios: readonly FaultScenario[];
  readonly results: FaultResults;
  /** How each subject was set up: name and settings. */
  readonly settings: readonly (readonly [string, string])[];
}

/** The page that users read. */
export const PAGE = `${REPOSITORY}/docs/reliability.md`;

const BEGIN = "<!-- faults: begin, written by `deno task faults --peers` -->";
const END = "<!-- faults: end -->";

/** The matrix: a table a fault, since cells are sentences and there are many subjects. */
export function renderMatrix(matrix: FaultMatrix): string {
  const { scenarios, results, settings } = matrix;
  return [
    ...scenarios.flatMap(({ name, title, how }) => {
      const result = results[name];
      if (result === undefined) return [];
      return [
        `### ${name}: ${title}`,
        how,
        table(["", "result"], Object.entries(result.cells)),
        result.facts,
      ];
    }),
    "### Settings beside the defaults",
    settings.map(([name, text]) => `- ${name}: ${text}`).join("\n"),
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
