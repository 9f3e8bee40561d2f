/**
 * An answer with a list that may be longer than memory: one JSON value, written in pieces.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { ERROR_CODES } from "../domain/error_codes.ts";
import type { Output } from "./output.ts";

/** Up to so many characters an answer is held back, so that an error can still take its place. */
const HELD_CHARACTERS = 256 * 1024;

/** The answer. Nothing is written before it is long, or has ended. */
export class StreamedAnswer {
  readonly #output: Output;
  readonly #list: string;
  #held: string[] = [];
  #length = 0;
  #isBegun = false;
  #isEmpty = true;

  /** @param list Name of the list. */
  constructor(output: Output, list: string) {
    this.#output = output;
    this.#list = list;
  }

  /** Adds to the list. */
  async add(items: readonly unknown[]): Promise<void> {
    if (items.length === 0) return;
    await this.#add(items.map((item) => JSON.stringify(item)).join(","));
  }

  /** Adds each line of a text as a string. */
  async addLines(text: string): Promise<void> {
    const whole = text.endsWith("\n") ? text.slice(0, -1) : text;
    // As it is written, a line break cannot be told from what stands behind a backslash.
    if (whole.includes("\\")) await this.add(whole.split("\n"));
    else await this.#add(JSON.stringify(whole).replaceAll("\\n", '","'));
  }

  async #add(text: string): Promise<void> {
    this.#held.push(this.#isEmpty ? text : `,${text}`);
    this.#isEmpty = false;
    this.#length += text.length;
    // Once it has begun, holding back helps nobody.
    const isDue = this.#isBegun || this.#length > HELD_CHARACTERS;
    if (isDue) await this.#flush();
  }

  /**
   * Ends the answer.
   *
   * @param others What is beside the list, with `ok` first.
   */
  async end(others: object): Promise<void> {
    const rest = JSON.stringify(this.#output.withNews(others)).slice(1, -1);
    const list = `${JSON.stringify(this.#list)}:[${this.#held.join("")}]`;
    await this.#output.piece(
      this.#isBegun
        ? `${this.#held.join("")}],${rest}}\n`
        : `{${rest},${list}}\n`,
    );
  }

  /**
   * Ends the answer with an error, if some of it is out already.
   *
   * @returns The exit status.
   * @throws The error itself if nothing was written, or if it is none of ours.
   */
  async fail(error: unknown): Promise<number> {
    if (!this.#isBegun || !(error instanceof TaskmuxError)) throw error;
    await this.end(error.toShape());
    return ERROR_CODES[error.code].exit;
  }

  async #flush(): Promise<void> {
    const start = this.#isBegun ? "" : `{${JSON.stringify(this.#list)}:[`;
    this.#isBegun = true;
    const text = start + this.#held.join("");
    this.#held = [];
    this.#length = 0;
    await this.#output.piece(text);
  }
}
