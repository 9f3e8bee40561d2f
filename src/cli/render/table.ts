/**
 * Columns of text that fit the terminal.
 *
 * @module
 */

import type { Paint, Style } from "./paint.ts";
import { cutText, padText, textWidth } from "./text.ts";

/** One column. */
export interface Column {
  readonly title: string;
  /**
   * Narrowest width at which it is worth showing. Without it the column is never cut. Where even these do not fit,
   * columns are left out.
   */
  readonly min?: number;
}

/** One cell; a plain string has no style. */
export type Cell = string | { readonly text: string; readonly style: Style };

/** How a table is laid out. */
export interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly paint: Paint;
  /** Indices of the columns in the order in which they give way; those not named never do. */
  readonly yielding?: readonly number[];
}

const INDENT = 2;
const GAP = 2;

/**
 * The lines of a table, its titles first. Columns without any text are left out; no line has trailing space.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string[] {
  const widths = fit(columns, rows, options);
  const shown = columns.flatMap((_, index) =>
    widths[index] === 0 ? [] : [index]
  );
  const line = (cells: readonly Cell[], style?: Style): string =>
    " ".repeat(INDENT) +
    shown.map((index, position) => {
      const cell = cells[index] ?? "";
      const text = cutText(textOf(cell), widths[index]!);
      const padded = position === shown.length - 1
        ? text
        : padText(text, widths[index]!);
      return options.paint(style ?? styleOf(cell), padded);
    }).join(" ".repeat(GAP));
  return [
    line(columns.map(({ title }) => title), "bold").trimEnd(),
    ...rows.map((cells) => line(cells).trimEnd()),
  ];
}

/** The width of each column; 0 = left out. */
function fit(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { width, yielding = [] }: TableOptions,
): number[] {
  const widths = columns.map(({ title }, index) => {
    const widest = Math.max(
      0,
      ...rows.map((cells) => textWidth(textOf(cells[index] ?? ""))),
    );
    return widest === 0 && rows.length > 0
      ? 0
      : Math.max(textWidth(title), widest);
  });
  for (const index of yielding) {
    const over = totalWidth(widths) - width;
    if (over <= 0) return widths;
    const floor = Math.min(widths[index]!, columns[index]?.min ?? Infinity);
    widths[index] = Math.max(floor, widths[index]! - over);
  }
  for (const index of yielding) {
    if (totalWidth(widths) <= width) return widths;
    widths[index] = 0;
  }
  return widths;
}

function totalWidth(widths: readonly number[]): number {
  const shown = widths.filter((width) => width > 0);
  return INDENT + shown.reduce((sum, width) => sum + width, 0) +
    GAP * Math.max(0, shown.length - 1);
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

function styleOf(cell: Cell): Style {
  return typeof cell === "string" ? "plain" : cell.style;
}
