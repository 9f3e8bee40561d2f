/**
 * Log lines for people.
 *
 * @module
 */

import type { Paint, Style } from "./paint.ts";
import { colouredText, padText, strippedText } from "./text.ts";

/** One line with its task. */
export interface PrintedRecord {
  readonly ts: string;
  readonly task: string;
  readonly text: string;
  /** The text with its colours, where they are known. */
  readonly styled?: string;
  /** Lines are left out before it, where context was asked for. */
  readonly isApart?: boolean;
}

/** How lines are printed. */
export interface LogOptions {
  readonly paint: Paint;
  /** Keep the colours of the output. */
  readonly colours: boolean;
  /** Print the task's name in front. */
  readonly withTask: boolean;
}

/** Of a time as it stands in a log. */
const TIME_LENGTH = 23;

/** Stands between lines that do not follow each other. */
export const APART = "--";

const CYCLE: readonly Style[] = [
  "cyan",
  "green",
  "yellow",
  "magenta",
  "blue",
  "red",
];

/**
 * Prints records of several tasks with their names in front, each task in a colour of its own, all texts starting in
 * the same column as far as the names seen so far allow.
 */
export class LogPrinter {
  readonly #options: LogOptions;
  readonly #indices = new Map<string, number>();
  readonly #names: string[] = [];
  #width = 0;
  #isFirst = true;

  /** @param tasks Names known beforehand, in the order of their colours. */
  constructor(options: LogOptions, tasks: readonly string[] = []) {
    this.#options = options;
    for (const task of tasks) this.#indexOf(task);
  }

  /** The lines of records, with `--` where something is left out between them. */
  lines(records: readonly PrintedRecord[]): string[] {
    const lines: string[] = [];
    for (const record of records) {
      if (record.isApart === true && !this.#isFirst) lines.push(APART);
      this.#isFirst = false;
      lines.push(this.line(record));
    }
    return lines;
  }

  /** Lines of a task as they stand in its log, each with a time and without control characters, as one text. */
  block(
    { task, text }: { readonly task: string; readonly text: string },
  ): string {
    const { paint } = this.#options;
    const name = this.#nameOf(task);
    this.#isFirst = false;
    let printed = "";
    for (let at = 0; at < text.length;) {
      const end = text.indexOf("\n", at) + 1;
      const ts = `${text.slice(at, at + TIME_LENGTH)}Z`;
      const rest = text.slice(at + TIME_LENGTH + 1, end);
      printed += `${paint("dim", ts)} ${name}${rest}`;
      at = end;
    }
    return printed;
  }

  /** The line of one record. */
  line({ ts, task, text, styled }: PrintedRecord): string {
    const { paint, colours } = this.#options;
    const name = this.#nameOf(task);
    const shown = this.text(colours ? styled ?? text : text);
    return `${paint("dim", ts)} ${name}${shown}`;
  }

  /** Output as it may be printed. */
  text(text: string): string {
    return this.#options.colours ? colouredText(text) : strippedText(text);
  }

  /** The name in front of lines of a task; empty if names are not wanted. */
  #nameOf(task: string): string {
    const index = this.#indexOf(task);
    if (!this.#options.withTask) return "";
    return this.#names[index] ??= this.#name(task, index);
  }

  #name(task: string, index: number): string {
    const style = CYCLE[index % CYCLE.length] ?? "plain";
    const text = padText(`[${task}]`, this.#width);
    return `${this.#options.paint(style, text)} `;
  }

  #indexOf(task: string): number {
    const known = this.#indices.get(task);
    if (known !== undefined) return known;
    const index = this.#indices.size;
    this.#indices.set(task, index);
    this.#width = Math.max(this.#width, task.length + 2);
    // All are as wide as the widest.
    this.#names.length = 0;
    return index;
  }
}
