/**
 * Finds known values in texts, plain and encoded.
 *
 * Every way of writing every value begins with some six characters. Those are searched for in one pass; what follows
 * them is compared only where they are. So the cost of a text hardly depends on how many secrets there are.
 *
 * @module
 */

import { isEscaped, type Ranges } from "./ranges.ts";
import {
  isRecognizable,
  MIN_SECRET_LENGTH,
  secretLines,
} from "./secret_values.ts";

/** Most values that are looked for; of more the longest. */
export const MAX_SECRETS = 512;

/** Most ways of writing them. */
const MAX_FORMS = 4_096;

const ANCHOR_LENGTH = MIN_SECRET_LENGTH;

/** Base64 of what follows a value begins in the value's last group. */
const BASE64_REST = /[A-Za-z0-9+/_-]{0,2}={0,2}/y;

/** One way of writing a value. */
interface Form {
  readonly text: string;
  readonly isBase64: boolean;
}

/** See the module. */
export class KnownSecrets {
  readonly #anchors: RegExp | null;
  /** Anchor → forms, the longest first. */
  readonly #forms = new Map<string, Form[]>();

  /** @param values Secrets; what is too short or too ordinary to be one is left out. */
  constructor(values: Iterable<string>) {
    for (const form of formsOf(values)) {
      const anchor = form.text.slice(0, ANCHOR_LENGTH);
      const known = this.#forms.get(anchor);
      if (known === undefined) this.#forms.set(anchor, [form]);
      else known.push(form);
    }
    this.#anchors = this.#forms.size === 0 ? null : new RegExp(
      [...this.#forms.keys()].map(RegExp.escape).join("|"),
      "g",
    );
  }

  /** Whether there is anything to find. */
  get isEmpty(): boolean {
    return this.#anchors === null;
  }

  /** Whether {@linkcode find} would find anything, or nearly. */
  mayFind(text: string): boolean {
    if (this.#anchors === null) return false;
    this.#anchors.lastIndex = 0;
    return this.#anchors.test(text);
  }

  /** Adds where secrets are, in order of their beginnings. Overlapping ones are all found. */
  find(text: string, ranges: Ranges): void {
    const anchors = this.#anchors;
    if (anchors === null || text.length < ANCHOR_LENGTH) return;
    anchors.lastIndex = 0;
    for (
      let hit = anchors.exec(text);
      hit !== null;
      hit = anchors.exec(text)
    ) {
      const at = hit.index;
      anchors.lastIndex = at + 1;
      const form = this.#forms.get(hit[0])?.find((each) =>
        text.startsWith(each.text, at)
      );
      if (form === undefined) continue;
      let end = at + form.text.length;
      if (form.isBase64) {
        BASE64_REST.lastIndex = end;
        end += BASE64_REST.exec(text)?.[0].length ?? 0;
      }
      // Half an escape sequence would be left.
      ranges.push(isEscaped(text, at) ? at - 1 : at, end);
    }
  }

  /**
   * How secrets would go on after a text that may end in the middle of one.
   *
   * @returns `rests`: what would follow, for each part of a secret at its end. `start`: where the longest part begins
   * that hardly is anything else; the length of the text if there is none. Some milliseconds for thousands of secrets.
   */
  cutAtEnd(
    text: string,
  ): { readonly rests: readonly string[]; readonly start: number } {
    const rests: string[] = [];
    let start = text.length;
    const last = text.at(-1);
    if (last === undefined) return { rests, start };
    for (const form of this.#forms.values().flatMap((forms) => forms)) {
      const whole = form.text;
      const telling = Math.min(ANCHOR_LENGTH, Math.ceil(whole.length / 2));
      for (
        let at = whole.lastIndexOf(last, whole.length - 2);
        at !== -1;
        at = at === 0 ? -1 : whole.lastIndexOf(last, at - 1)
      ) {
        const length = at + 1;
        if (!text.endsWith(whole.slice(0, length))) continue;
        rests.push(whole.slice(length));
        if (length >= telling) start = Math.min(start, text.length - length);
      }
    }
    return { rests, start };
  }
}

/** The longest first. */
function formsOf(values: Iterable<string>): Form[] {
  const secrets = [...new Set(values)].filter(isRecognizable)
    .sort((a, b) => b.length - a.length).slice(0, MAX_SECRETS);
  const forms = new Map<string, Form>();
  for (const secret of secrets) {
    for (const part of [secret, ...secretLines(secret)]) {
      for (const text of spellings(part)) {
        forms.set(text, { text, isBase64: false });
      }
      for (const text of base64Forms(part)) {
        if (!forms.has(text)) forms.set(text, { text, isBase64: true });
      }
    }
  }
  return [...forms.values()]
    .filter(({ text }) => text.length >= ANCHOR_LENGTH)
    .sort((a, b) => b.text.length - a.text.length)
    .slice(0, MAX_FORMS);
}

/** As it is, and as JSON and URLs write it. */
function spellings(value: string): Set<string> {
  const wellFormed = value.toWellFormed();
  const json = JSON.stringify(value).slice(1, -1);
  const component = encodeURIComponent(wellFormed);
  const strict = component.replace(/[!'()*]/g, (letter) => percent(letter));
  const urls = [component, strict, encodeURI(wellFormed)]
    .flatMap((url) => [url, url.replaceAll("%20", "+")])
    .flatMap((url) => [
      url,
      url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    ]);
  const twice = JSON.stringify(json).slice(1, -1);
  return new Set([
    value,
    ...[json, twice].flatMap((text) => [
      text,
      text.replaceAll("/", "\\/"),
      text.replace(NOT_ASCII, unicodeEscape),
      text.replace(/[<>&]/g, unicodeEscape),
    ]),
    ...urls,
  ]);
}

// deno-lint-ignore no-control-regex -- everything beyond ASCII
const NOT_ASCII = /[^\x00-\x7f]/g;

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function percent(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** The digits of base64 that depend on the value alone, in both alphabets. */
function base64Forms(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const whole = Math.floor(bytes.length * 8 / 6);
  const digits = bytes.toBase64({ omitPadding: true }).slice(0, whole);
  return [digits, digits.replaceAll("+", "-").replaceAll("/", "_")];
}
