/**
 * The parts of a Markdown page that can be checked: fenced code with what the page tells its test, and tables.
 *
 * @module
 */

/** A fenced block. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Line of its first line of code in the page, from 1. */
  readonly line: number;
  /** What `<!-- test: … -->` right before the block says; empty without one. */
  readonly directive: string;
  /** The paragraph before the block. */
  readonly lead: string;
}

/** A table. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const FENCE_REGEXP = /^```(\w*)\n([\s\S]*?)^```$/gm;

const DIRECTIVE_REGEXP = /<!-- test: ([^\n]*?) -->\n*$/;

/** Every fenced block of a page, in order. */
export function codeBlocks(page: string): CodeBlock[] {
  return [...page.matchAll(FENCE_REGEXP)].map((match) => {
    const before = page.slice(0, match.index);
    return {
      language: match[1]!,
      text: match[2]!,
      line: before.split("\n").length + 1,
      directive: DIRECTIVE_REGEXP.exec(before)?.[1] ?? "",
      lead: before.trimEnd().split("\n\n").at(-1)!,
    };
  });
}

/**
 * The tables whose header begins with these cells, in order.
 *
 * @throws {Error} If there is none.
 */
export function tables(page: string, ...header: string[]): Table[] {
  const found = page.split(/\n(?!\|)/).flatMap((part) => {
    const lines = part.trim().split("\n").filter((line) =>
      line.startsWith("|")
    );
    const [head, , ...rows] = lines.map(cells);
    const isMeant = head !== undefined &&
      header.every((cell, index) => head[index] === cell);
    return isMeant ? [{ header: head, rows }] : [];
  });
  if (found.length > 0) return found;
  throw new Error(`Cannot find a table of ${header.join(", ")}`);
}

/** The names in backquotes of a cell. */
export function codeNames(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
}

function cells(line: string): string[] {
  return line.slice(1, line.lastIndexOf("|")).split("|").map((cell) =>
    cell.trim()
  );
}
