/**
 * Colours of text, or none.
 *
 * @module
 */

/** How a piece of text looks. */
export type Style =
  | "plain"
  | "bold"
  | "dim"
  | "red"
  | "green"
  | "yellow"
  | "blue"
  | "magenta"
  | "cyan";

/** Puts text into a style; the identity without colours. */
export type Paint = (style: Style, text: string) => string;

const CODES: Readonly<Record<Style, number>> = {
  plain: 0,
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
};

/** The painter for a terminal, or for everything else. */
export function makePaint(colours: boolean): Paint {
  if (!colours) return (_style, text) => text;
  return (style, text) =>
    style === "plain" || text === ""
      ? text
      : `\x1b[${CODES[style]}m${text}\x1b[0m`;
}
