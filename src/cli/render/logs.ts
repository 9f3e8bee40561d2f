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
      if (record.isApart === true && !this.#isFirst) lines.push("--");
      this.#isFirst = false;
      lines.push(this.line(record));
    }
    return lines;
  }

  /** The line of one record. */
  line({ ts, task, text, styled }: PrintedRecord): string {
    const { paint, colours, withTask } = this.#options;
    const index = this.#indexOf(task);
    const name = withTask ? this.#names[index] ??= this.#name(task, index) : "";
    const shown = this.text(colours ? styled ?? text : text);
    return `${paint("dim", ts)} ${name}${shown}`;
  }

  /** Output as it may be printed. */
  text(text: string): string {
    return this.#options.colours ? colouredText(text) : strippedText(text);
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
