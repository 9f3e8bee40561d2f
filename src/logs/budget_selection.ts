/**
 * Which lines of a log of any length go into an answer of limited size: how it begins, how it ends, its errors with
 * what stands around them, and what is left out in between, counted.
 *
 * One pass; memory holds a few times the size of the answer.
 *
 * @module
 */

import type { BudgetForm } from "./budget_form.ts";
import {
  type BudgetLine,
  type Extent,
  NO_EXTENT,
  sumOf,
} from "./budget_line.ts";
import { isContinuation } from "./continuation.ts";
import { shownText } from "./cut_text.ts";
import { SizedRing } from "./sized_ring.ts";

/** Lines before an error that are shown with it. */
const LINES_BEFORE = 2;

/** Lines after an error that are shown with it, whatever they are. */
const LINES_AFTER = 2;

/** Lines after an error that go on with it, such as a stack trace, that are shown with it. */
const CONTINUED_AFTER = 12;

/** Parts of the room that the beginning and the end have for sure, whatever else there is. */
const HEAD_SHARE = 0.1;
const TAIL_SHARE = 0.25;

/** A line is cut that would take more than this part of the room, within these bounds in bytes. */
const LINE_SHARE = 1 / 6;
const MIN_LINE_BYTES = 100;
const MAX_LINE_BYTES = 4096;

/** Rough size of an element beside its text: stamp, quotes, comma. Less than the real one, so that enough is held. */
const OVERHEAD_BYTES = 16;

/** A line with its place. */
export interface Candidate {
  /** Number of the line in the stream, repeats counted as one. */
  readonly ordinal: number;
  readonly line: BudgetLine;
  /** All before it. */
  readonly before: Extent;
}

/** What was chosen. */
export interface Selection<T> {
  readonly elements: readonly T[];
  /** What no element stands for but the gaps. */
  readonly omitted: Extent;
}

/** The longest text that a line may have in an answer of this size, in bytes. */
export function lineLimit(bytes: number): number {
  return Math.min(
    Math.max(Math.floor(bytes * LINE_SHARE), MIN_LINE_BYTES),
    MAX_LINE_BYTES,
  );
}

/** Takes lines, holds those that may be chosen. */
export class BudgetSelection {
  #total = NO_EXTENT;
  #count = 0;
  readonly #head: Candidate[] = [];
  #headRoom: number;
  readonly #tail: SizedRing<Candidate>;
  readonly #errors: SizedRing<Candidate>[];
  readonly #around: SizedRing<Candidate>[];
  #previous: Candidate[] = [];
  #after = { any: 0, continued: 0 };
  readonly #usual: number;

  /** @param maxBytes Most room there can be in the end. */
  constructor(maxBytes: number) {
    this.#headRoom = maxBytes;
    this.#usual = lineLimit(maxBytes) / 2;
    const ring = (side: "first" | "last") =>
      new SizedRing<Candidate>(side, maxBytes);
    this.#tail = ring("last");
    this.#errors = [ring("first"), ring("last")];
    this.#around = [ring("first"), ring("last")];
  }

  /** All lines so far. */
  get total(): Extent {
    return this.#total;
  }

  /** The next line. */
  push(line: BudgetLine): void {
    const candidate = { ordinal: this.#count++, line, before: this.#total };
    this.#total = sumOf(this.#total, line.extent);
    const size = this.#sizeOf(candidate);
    if (this.#headRoom > 0) {
      this.#head.push(candidate);
      this.#headRoom -= size;
    } else this.#tail.push(candidate, size);
    if (line.isError) {
      for (const ring of this.#errors) ring.push(candidate, size);
      for (const each of this.#previous) this.#pushAround(each);
      this.#previous = [];
      this.#after = { any: LINES_AFTER, continued: CONTINUED_AFTER };
    } else if (this.#followsError(line)) this.#pushAround(candidate);
    else {
      this.#previous.push(candidate);
      if (this.#previous.length > LINES_BEFORE) this.#previous.shift();
    }
  }

  /** The best answer of at most `room` bytes. Not even a gap is made if there is no room for it. */
  choose<T>(room: number, form: BudgetForm<T>): Selection<T> {
    return new Choice({
      head: this.#head,
      tail: this.#tail.items(),
      errors: distinct(this.#errors),
      around: distinct(this.#around),
      total: this.#total,
      count: this.#count,
    }, { room, form }).result();
  }

  #followsError({ text: { head } }: BudgetLine): boolean {
    const after = this.#after;
    if (after.continued > 0 && isContinuation(head)) {
      after.continued--;
      return true;
    }
    after.continued = 0;
    return after.any-- > 0;
  }

  #pushAround(candidate: Candidate): void {
    const size = this.#sizeOf(candidate);
    for (const ring of this.#around) ring.push(candidate, size);
  }

  #sizeOf({ line: { text } }: Candidate): number {
    return Math.min(text.head.length + text.tail.length, this.#usual) +
      OVERHEAD_BYTES;
  }
}

function distinct(rings: readonly SizedRing<Candidate>[]): Candidate[] {
  const byOrdinal = new Map(
    rings.flatMap((ring) => ring.items()).map((one) => [one.ordinal, one]),
  );
  return [...byOrdinal.values()];
}

/** What there is to choose from; each list in order. */
interface Choosable {
  readonly head: readonly Candidate[];
  readonly tail: readonly Candidate[];
  readonly errors: readonly Candidate[];
  readonly around: readonly Candidate[];
  readonly total: Extent;
  readonly count: number;
}

/** One choosing. Room is spent on lines as they are kept, and on gaps as they come to be. */
class Choice<T> {
  readonly #from: Choosable;
  readonly #form: BudgetForm<T>;
  readonly #room: number;
  readonly #lineLimit: number;
  /** Bytes of the largest gap there can be. */
  readonly #gapSize: number;
  readonly #kept = new Map<number, Candidate>();
  readonly #elements = new Map<Candidate, readonly T[]>();
  #left: number;

  constructor(
    from: Choosable,
    { room, form }: { readonly room: number; readonly form: BudgetForm<T> },
  ) {
    this.#from = from;
    this.#form = form;
    this.#room = room;
    this.#lineLimit = lineLimit(room);
    this.#gapSize = form.sizeOf(form.gap(from.total));
    // Everything is one gap at first.
    this.#left = room - this.#gapSize;
  }

  result(): Selection<T> {
    const { head, count, total } = this.#from;
    if (count === 0) return { elements: [], omitted: NO_EXTENT };
    if (head.length === count && this.#fit(head)) {
      for (const one of head) this.#kept.set(one.ordinal, one);
      return this.#assembled();
    }
    if (this.#left < 0) return { elements: [], omitted: total };
    this.#keepShares();
    do this.#keepErrors(); while (this.#closeGaps());
    this.#keepAround(this.#from.around);
    this.#keepPlain();
    return this.#assembled();
  }

  #fit(candidates: readonly Candidate[]): boolean {
    let size = 0;
    for (const one of candidates) {
      size += this.#sizeOf(one);
      if (size > this.#room) return false;
    }
    return true;
  }

  /** Something of both ends, so that one sees where one is. */
  #keepShares(): void {
    const { head, tail, errors } = this.#from;
    const hasErrors = errors.length > 0;
    const ends: [readonly Candidate[], number][] = [
      [head, hasErrors ? HEAD_SHARE : TAIL_SHARE],
      [[...head, ...tail].reverse(), TAIL_SHARE],
    ];
    for (const [candidates, share] of ends) {
      const least = this.#left - this.#room * share;
      for (const one of candidates) {
        if (one.line.isContext) continue;
        if (this.#left - this.#costOf(one) < least || !this.#keep(one)) break;
      }
    }
  }

  /** The last, the first, the last but one, and so on. Short ones still fit where long ones do not. */
  #keepErrors(): void {
    const { errors } = this.#from;
    const { length } = errors;
    for (let low = 0; low * 2 < length; low++) {
      this.#keep(errors[length - 1 - low]!);
      this.#keep(errors[low]!);
    }
  }

  /** Keeps lines that take less room than the gap they would leave. @returns Whether there were any. */
  #closeGaps(): boolean {
    const { head, tail, around } = this.#from;
    const before = this.#kept.size;
    for (const candidates of [head, tail, around]) {
      for (const one of candidates) {
        const isCheap = !this.#kept.has(one.ordinal) && this.#costOf(one) <= 0;
        if (isCheap) this.#keep(one);
      }
    }
    return this.#kept.size > before;
  }

  /** Lines that touch one that is kept: after it, then before it. */
  #keepAround(candidates: readonly Candidate[]): void {
    for (const one of candidates) {
      if (this.#kept.has(one.ordinal - 1)) this.#keep(one);
    }
    for (const one of candidates.toReversed()) {
      if (this.#kept.has(one.ordinal + 1)) this.#keep(one);
    }
  }

  /** From the end as far as it goes, then from the beginning; matches before what stands around them. */
  #keepPlain(): void {
    const { head, tail } = this.#from;
    const all = [...head, ...tail];
    for (const candidates of [all.toReversed(), head]) {
      for (const one of candidates) {
        if (!one.line.isContext && !this.#keep(one)) break;
      }
    }
    const context = all.filter(({ line }) => line.isContext);
    this.#keepAround(context);
  }

  /** Whether there is room for it, or it has it already. */
  #keep(one: Candidate): boolean {
    if (this.#kept.has(one.ordinal)) return true;
    const cost = this.#costOf(one);
    if (cost > this.#left) return false;
    this.#left -= cost;
    this.#kept.set(one.ordinal, one);
    return true;
  }

  #costOf(one: Candidate): number {
    const { ordinal } = one;
    if (this.#kept.has(ordinal)) return 0;
    const isGap = (at: number) =>
      at >= 0 && at < this.#from.count && !this.#kept.has(at);
    const gaps = Number(isGap(ordinal - 1)) + Number(isGap(ordinal + 1)) - 1;
    return this.#sizeOf(one) + gaps * this.#gapSize;
  }

  #sizeOf(one: Candidate): number {
    const { apart } = this.#form;
    const isParted = one.line.isApart && apart !== undefined;
    return this.#elementsOf(one).reduce(
      (sum, element) => sum + this.#form.sizeOf(element),
      isParted ? this.#form.sizeOf(apart) : 0,
    );
  }

  #elementsOf(one: Candidate): readonly T[] {
    let elements = this.#elements.get(one);
    if (elements === undefined) {
      const text = shownText(one.line.text, {
        limit: this.#lineLimit,
        sizeOf: this.#form.textSize,
      });
      elements = this.#form.line(one.line, text);
      this.#elements.set(one, elements);
    }
    return elements;
  }

  #assembled(): Selection<T> {
    const elements: T[] = [];
    let omitted = NO_EXTENT;
    let seen = NO_EXTENT;
    const { apart } = this.#form;
    const pass = (upTo: Extent): boolean => {
      const gap = {
        lines: upTo.lines - seen.lines,
        bytes: upTo.bytes - seen.bytes,
      };
      if (gap.lines === 0) return false;
      elements.push(this.#form.gap(gap));
      omitted = sumOf(omitted, gap);
      return true;
    };
    const kept = [...this.#kept.values()].sort((a, b) => a.ordinal - b.ordinal);
    for (const one of kept) {
      // A gap says as much.
      const isParted = !pass(one.before) && one.line.isApart &&
        elements.length > 0;
      if (isParted && apart !== undefined) elements.push(apart);
      elements.push(...this.#elementsOf(one));
      seen = sumOf(one.before, one.line.extent);
    }
    pass(this.#from.total);
    return { elements, omitted };
  }
}
