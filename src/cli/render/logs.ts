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
  #width = 0;

  /** @param tasks Names known beforehand, in the order of their colours. */
  constructor(options: LogOptions, tasks: readonly string[] = []) {
    this.#options = options;
    for (const task of tasks) this.#indexOf(task);
  }

  /** The line of one record. */
  line({ ts, task, text, styled }: PrintedRecord): string {
    const { paint, colours, withTask } = this.#options;
    const index = this.#indexOf(task);
    const style = CYCLE[index % CYCLE.length] ?? "plain";
    const name = withTask
      ? `${paint(style, padText(`[${task}]`, this.#width))} `
      : "";
    const shown = this.text(colours ? styled ?? text : text);
    return `${paint("dim", ts)} ${name}${shown}`;
  }

  /** Output as it may be printed. */
  text(text: string): string {
    return this.#options.colours ? colouredText(text) : strippedText(text);
  }

  #indexOf(task: string): number {
    const known = this.#indices.get(task);
    if (known !== undefined) return known;
    const index = this.#indices.size;
    this.#indices.set(task, index);
    this.#width = Math.max(this.#width, task.length + 2);
    return index;
  }
}
