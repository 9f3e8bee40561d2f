/**
 * Aliases for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { tableLines, type TableOptions } from "./table.ts";

const COLUMNS = [
  { title: "Name" },
  { title: "URL", min: 16 },
  { title: "Target" },
];

/** The lines of a table of aliases. */
export function aliasLines(
  aliases: Result<"alias.list">["aliases"],
  { width, paint }: Pick<TableOptions, "width" | "paint">,
): string[] {
  const rows = aliases.map(({ name, url, port }) => [
    name,
    url ?? "",
    `localhost:${port}`,
  ]);
  return tableLines(COLUMNS, rows, { width, paint, yielding: [1] });
}
