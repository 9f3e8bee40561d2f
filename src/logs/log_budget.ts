/**
 * Brings a stream of log lines of any length into an answer of limited size, in one pass and bounded memory.
 *
 * What a terminal would not show any more is left out, lines that repeat are counted, and what then does not fit is
 * left out in places that say how much: head, tail, errors and what stands around them stay.
 *
 * @module
 */

import { utf8Length } from "../kit/utf8_length.ts";
import type { BudgetForm } from "./budget_form.ts";
import type { BudgetLine, Extent } from "./budget_line.ts";
import {
  BudgetSelection,
  lineLimit,
  type Selection,
} from "./budget_selection.ts";
import { cleanText, RedrawFilter } from "./redraw_filter.ts";
import { storedText } from "./cut_text.ts";
import { detached } from "./log_line.ts";
import { RepeatCollapser } from "./repeat_collapser.ts";

/** The smallest answer that can be asked for. Some questions need more: see `budgeted_answer.ts`. */
export const MIN_BUDGET_BYTES = 512;

/** More is not used: an answer is put together in memory. */
export const MAX_BUDGET_BYTES = 4 * 1024 * 1024;

/** Bytes that are counted as one token. */
export const BYTES_PER_TOKEN = 4;

/** Stored text may be longer than shown text by this factor: how much room there is shows in the end. */
const STORED_FACTOR = 2;

/** A longer line is not kept alive for the sake of its stamp. */
const MAX_SHARED_UNITS = 4096;

/** What the budget takes; `LogRecord` fits. */
export interface BudgetRecord {
  readonly ts: string;
  readonly task: string;
  /** The text with its control sequences. */
  readonly styled: string;
  /** The line of the file, which ends with `styled`. */
  readonly raw: string;
  readonly isContext: boolean;
  /** Lines are left out before it, where context was asked for. */
  readonly isApart?: boolean;
}

/** How to take lines. */
export interface BudgetOptions {
  /** Most room there can be in the end, in bytes. */
  readonly maxBytes: number;
  /** Whether each task's lines follow one another as in its file, none left out. */
  readonly isWhole: boolean;
  /** Whether a line tells of an error. */
  readonly isError: (text: string) => boolean;
}

/** One answer that is being put together. */
export class LogBudget {
  readonly #options: BudgetOptions;
  readonly #storedUnits: number;
  readonly #redraws: RedrawFilter;
  readonly #repeats = new RepeatCollapser();
  readonly #selection: BudgetSelection;

  constructor(options: BudgetOptions) {
    const maxBytes = Math.min(options.maxBytes, MAX_BUDGET_BYTES);
    this.#options = options;
    this.#storedUnits = STORED_FACTOR * lineLimit(maxBytes);
    this.#redraws = new RedrawFilter({ isWhole: options.isWhole });
    this.#selection = new BudgetSelection(maxBytes);
  }

  /** The next line, in the order of the answer. Takes a few microseconds. */
  add(record: BudgetRecord): void {
    const { task, styled, raw } = record;
    const stamp = raw.slice(0, raw.length - styled.length);
    const prefix = raw.length > MAX_SHARED_UNITS ? detached(stamp) : stamp;
    const extent = { lines: 1, bytes: utf8Length(raw) + 1 };
    const facts = { record, prefix: cleanText(prefix), extent };
    this.#collapse(
      this.#redraws.push({
        task,
        styled,
        extent,
        toLine: (text) => this.#lineOf(text, facts),
      }),
    );
  }

  /** Ends the stream. @returns All that was added. */
  end(): Extent {
    this.#collapse(this.#redraws.flush());
    this.#select(this.#repeats.flush());
    return this.#selection.total;
  }

  /**
   * The answer, after {@linkcode end}. May be asked for several times.
   *
   * @param room Bytes that all elements together may take: the budget less what stands around them.
   */
  choose<T>(room: number, form: BudgetForm<T>): Selection<T> {
    return this.#selection.choose(Math.min(room, MAX_BUDGET_BYTES), form);
  }

  #lineOf(
    text: string,
    { record, prefix, extent }: {
      readonly record: BudgetRecord;
      readonly prefix: string;
      readonly extent: Extent;
    },
  ): BudgetLine {
    return {
      ts: record.ts,
      task: record.task,
      prefix,
      text: storedText(text, this.#storedUnits),
      isError: this.#options.isError(text),
      isContext: record.isContext,
      isApart: record.isApart === true,
      repeated: 0,
      isSimilar: false,
      redrawn: 0,
      extent,
    };
  }

  #collapse(lines: readonly BudgetLine[]): void {
    for (const line of lines) this.#select(this.#repeats.push(line));
  }

  #select(lines: readonly BudgetLine[]): void {
    for (const line of lines) this.#selection.push(line);
  }
}
