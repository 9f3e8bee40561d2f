/**
 * Text of a Markdown page, broken where the formatter would.
 *
 * @module
 */

/** Width at which the formatter breaks lines. */
const WIDTH = 80;

/** A paragraph or an item of a list. @param indent Of every line but the first. */
export function wrapped(text: string, indent = ""): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(lines.length === 0 ? word : indent + word);
  }
  return lines.join("\n");
}
