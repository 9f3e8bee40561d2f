/**
 * How lines look in an answer of limited size, and what that costs.
 *
 * @module
 */

import { utf8Length } from "../kit/utf8_length.ts";
import type { BudgetLine, Extent } from "./budget_line.ts";

/** One way to write an answer. `T` is an element of it: a value of a JSON array, or a line of text. */
export interface BudgetForm<T> {
  /** The elements of a line with what it stands for. `text` is what is shown of its text. */
  line(line: BudgetLine, text: string): readonly T[];
  /** The element that stands for lines that are left out. Its size grows with the numbers. */
  gap(omitted: Extent): T;
  /** The element between two lines that do not follow each other; absent = nothing tells that. */
  readonly apart?: T;
  /** Bytes of an element, with what parts it from the next one. */
  sizeOf(element: T): number;
  /** Bytes of a text within an element; grows with the text. */
  textSize(text: string): number;
}

/** Lines that are left out, in a JSON answer. */
export type JsonGap = {
  readonly omitted: Extent;
};

/** What becomes of the lines around a line of one task, in a JSON answer. */
export type JsonMark = {
  /** Lines that said the same, after the one before this. */
  readonly repeated?: number;
  /** They differed in numbers, times or spinners. */
  readonly similar?: true;
  /** Lines that were drawn over by the one after this. */
  readonly redrawn?: number;
};

/** A line with its task, in a JSON answer. */
export type JsonRecord = JsonMark & {
  readonly ts: string;
  readonly task: string;
  readonly text: string;
};

/** An element of `lines` in a JSON answer. */
export type JsonElement = string | JsonRecord | JsonMark | JsonGap;

const common = {
  gap: (omitted: Extent): JsonGap => ({ omitted }),
  // With the comma.
  sizeOf: (element: JsonElement): number =>
    utf8Length(JSON.stringify(element)) + 1,
  // Without the quotes.
  textSize: (text: string): number => utf8Length(JSON.stringify(text)) - 2,
};

/** The lines of one task: the strings of its file, and objects for what they stand for. */
export const ONE_TASK_FORM: BudgetForm<JsonElement> = {
  ...common,
  line: (line, text) => {
    const { redrawn, repeated } = line;
    const elements: JsonElement[] = [`${line.prefix}${text}`];
    if (redrawn > 0) elements.unshift({ redrawn });
    if (repeated > 0) elements.push(repeatOf(line));
    return elements;
  },
};

/** The lines of several tasks: objects, with keys for what they stand for. */
export const ALL_TASKS_FORM: BudgetForm<JsonElement> = {
  ...common,
  line: (line, text) => {
    const { ts, task, redrawn, repeated } = line;
    return [{
      ts,
      task,
      text,
      ...(redrawn > 0 ? { redrawn } : {}),
      ...(repeated > 0 ? repeatOf(line) : {}),
    }];
  },
};

function repeatOf({ repeated, isSimilar }: BudgetLine): JsonMark {
  return isSimilar ? { repeated, similar: true } : { repeated };
}
