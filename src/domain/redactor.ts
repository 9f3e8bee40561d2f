/**
 * Takes secrets out of texts.
 *
 * @module
 */

import { CutSecrets } from "./cut_secrets.ts";
import { KnownSecrets } from "./known_secrets.ts";
import { PrivateKeyLines } from "./private_key_lines.ts";
import { masked, type Ranges } from "./ranges.ts";
import { findShapes, mayHoldShape } from "./secret_shapes.ts";
import { hasControls, hiddenPart, visibleText } from "./visible_text.ts";

/**
 * Knows some secrets, and how others look. What it finds becomes `***`, or as many stars as there were characters if they
 * were fewer; everything else stays. Control sequences are looked through, so a secret with a colour in it is found;
 * the colours stay. Linear in the length of the text.
 */
export class Redactor {
  readonly #known: KnownSecrets;

  /** @param secrets Values that are secrets wherever they stand, also in base64 and as JSON and URLs write them. */
  constructor(secrets: Iterable<string> = []) {
    this.#known = new KnownSecrets(secrets);
  }

  /** A text of its own, of one line or several. */
  text(text: string): string {
    if (!text.includes("\n")) return this.lines().line(text);
    const lines = this.lines();
    lines.expect(text.split("\n"));
    return redacted(text, (shown, ranges) => {
      this.#known.find(shown, ranges);
      let at = 0;
      for (const line of shown.split("\n")) {
        const found: Ranges = [];
        lines.find(line, found);
        for (const offset of found) ranges.push(at + offset);
        at += line.length + 1;
      }
    }, this.#known);
  }

  /** For the lines of one source in order: a private key goes over several. */
  lines(): LineRedactor {
    return new LineRedactor(this.#known);
  }
}

/** See {@linkcode Redactor.lines}. */
export class LineRedactor {
  readonly #known: KnownSecrets;
  readonly #keys = new PrivateKeyLines();
  readonly #cut: CutSecrets;

  constructor(known: KnownSecrets) {
    this.#known = known;
    this.#cut = new CutSecrets(known);
  }

  /** Tells what the next lines are, for keys that began before them. */
  expect(lines: Iterable<string>): void {
    this.#keys.expect(lines);
  }

  /**
   * Whether the next lines are to stay as they are: one look at all of them, many times cheaper than one at each. False
   * says nothing. Lines are only skipped together, and in order.
   *
   * @param lines Whole lines, with a newline between any two; times before them do no harm.
   * @param options `isVisible`: it is known that there are no control characters among them.
   */
  areHarmless(
    lines: string,
    { isVisible = false }: { readonly isVisible?: boolean } = {},
  ): boolean {
    return !mayHoldShape(lines) && (isVisible || !hasControls(lines)) &&
      !this.#known.mayFind(lines) && !this.#keys.mayFind(lines) &&
      !this.#cut.mayFind(lines);
  }

  /** The next line. */
  line(text: string): string {
    return redacted(text, (shown, ranges) => {
      this.#known.find(shown, ranges);
      this.find(shown, ranges);
      this.#cut.find(shown, text, ranges);
    }, this.#known);
  }

  /** Adds what is found in the next line without knowing any secret. */
  find(line: string, ranges: Ranges): void {
    findShapes(line, ranges);
    this.#keys.find(line, ranges);
  }
}

function redacted(
  text: string,
  find: (shown: string, ranges: Ranges) => void,
  known: KnownSecrets,
): string {
  const ranges: Ranges = [];
  if (!hasControls(text)) {
    find(text, ranges);
    return ranges.length === 0 ? text : masked(text, ranges);
  }
  const shown = visibleText(text);
  find(shown.text, ranges);
  for (let at = 0; at < ranges.length; at += 2) {
    ranges[at] = shown.originOf(ranges[at]!);
    ranges[at + 1] = shown.originOf(ranges[at + 1]! - 1) + 1;
  }
  const all = masked(text, ranges, hiddenPart);
  // A title or the address of a link is not shown, and is there all the same.
  const unseen: Ranges = [];
  known.find(all, unseen);
  findShapes(all, unseen);
  return unseen.length === 0 ? all : masked(all, unseen);
}
