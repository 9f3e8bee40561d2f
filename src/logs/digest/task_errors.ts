/**
 * The errors in the output of one task.
 *
 * Lines come one after another. A line either belongs to the open block, or opens one, perhaps together with lines
 * before it, or is kept for a while because a later line may need it.
 *
 * @module
 */

import type { Block, ErrorFacts, Recogniser } from "./error_block.ts";
import { ALL_RECOGNISERS, INTERESTING } from "./recognisers/all.ts";
import { continuesPlain, readPlain } from "./recognisers/plain_errors.ts";
import { isBlank, isIndented } from "./error_block.ts";

/** Lines that a block may reach back to. */
const MAX_BEFORE = 32;

/** Lines at the start and at the end of a block that are kept. */
const MAX_HEAD_LINES = 200;
const MAX_TAIL_LINES = 50;

/** A block that grows beyond this is none, or nobody wants its end. */
const MAX_BLOCK_LINES = 5000;

/** Longest line that is looked at; what follows is no error that anybody printed. */
const MAX_LINE_LENGTH = 4000;

/** Lines that go on with a plain error. */
const MAX_MORE_LINES = 12;

/** Output that comes so much later belongs to something else. */
const MAX_PAUSE_MS = 5_000;

/** What dev servers put before news: indented, but no part of the error above it. */
const STATUS = /^ {0,3}[✓○⨯▲⚠➜] /;

/** Recognisers whose errors are told by the line before them, as loggers do. */
const LOGGED_HEAD =
  /^\s*(?:(?:╭─+ )?Traceback \(most|(?:[\w$]+\.)+[\w$]+(?:Exception|Error|Throwable)\b|[A-Z][\w:]*(?:Error|Exception|Invalid|NotFound|Missing) \()/;

/** Gets what was found, with the time of its first line, in the order in which errors end. */
export type ErrorSink = (facts: ErrorFacts, ts: string) => void;

/** A line that belongs to no block, yet. */
interface Loose {
  readonly text: string;
  readonly ts: string;
  /** Where it stands in the stream, counted from 0. */
  readonly index: number;
  /** What it says by itself. */
  readonly plain: ErrorFacts | null;
  readonly more: string[];
}

/** A block with what only this module needs. */
interface OpenBlock extends Block {
  readonly recogniser: Recogniser;
  readonly prefix: readonly string[];
  readonly lines: string[];
  readonly tail: string[];
  readonly ts: string;
  readonly index: number;
  lastTs: string;
  size: number;
}

const NOTHING: string[] = [];

/** See the module. Holds a bounded number of lines. */
export class TaskErrors {
  readonly #sink: ErrorSink;
  #loose: Loose[] = [];
  /** The texts of `#loose`. */
  #texts: string[] = [];
  #block: OpenBlock | null = null;
  #count = 0;

  constructor(sink: ErrorSink) {
    this.#sink = sink;
  }

  /**
   * Takes the next line. About a microsecond for one that has nothing to do with errors.
   *
   * @param ts Its time as ISO text.
   * @param line Its text, without control sequences.
   */
  push(ts: string, line: string): void {
    const text = line.length > MAX_LINE_LENGTH
      ? line.slice(0, MAX_LINE_LENGTH)
      : line;
    this.#count++;
    if (this.#block !== null) {
      if (this.#take(this.#block, ts, text)) return;
      this.#close();
    }
    if (!INTERESTING.test(text)) {
      this.#keep(ts, text, null);
      return;
    }
    if (!this.#open(ts, text)) this.#keep(ts, text, readPlain(text));
  }

  /**
   * How many lines at the end may belong to an error that is still being printed: those of the open block, or from the
   * last line that is an error by itself.
   *
   * @param since Only if it has a line of this time or later.
   */
  unsettledLines(since: string): number {
    if (this.#block !== null) {
      return this.#block.lastTs >= since ? this.#count - this.#block.index : 0;
    }
    const last = this.#loose.findLast(({ plain, ts }) =>
      plain !== null && ts >= since
    );
    return last === undefined ? 0 : this.#count - last.index;
  }

  /** Ends the stream. */
  finish(): void {
    if (this.#block !== null) this.#close();
    this.#settle(this.#loose.length);
  }

  #take(block: OpenBlock, ts: string, text: string): boolean {
    if (block.size >= MAX_BLOCK_LINES || isPause(block.lastTs, ts)) {
      return false;
    }
    if (STATUS.test(text) || !block.recogniser.belongs(text, block)) {
      return false;
    }
    block.lastTs = ts;
    block.size++;
    if (block.lines.length < MAX_HEAD_LINES) block.lines.push(text);
    else {
      block.tail.push(text);
      if (block.tail.length > MAX_TAIL_LINES) block.tail.shift();
    }
    return true;
  }

  #open(ts: string, text: string): boolean {
    for (const recogniser of ALL_RECOGNISERS) {
      const count = recogniser.opens(text, this.#texts);
      if (count < 0) continue;
      const start = this.#loose.length - count;
      const from = this.#claimed(start, this.#loose[start]?.text ?? text);
      const own = this.#loose.slice(start);
      const prefix = this.#loose.slice(from, start);
      this.#settle(from);
      this.#loose = [];
      this.#texts = [];
      const first = prefix[0] ?? own[0];
      this.#block = {
        recogniser,
        prefix: prefix.map((line) => line.text),
        lines: [...own.map((line) => line.text), text],
        tail: [],
        ts: first?.ts ?? ts,
        index: first?.index ?? this.#count - 1,
        lastTs: ts,
        phase: "",
        depth: 0,
        size: own.length + 1,
      };
      return true;
    }
    return false;
  }

  /** Where the block really begins: at the logger's line above it, if that announces it. */
  #claimed(start: number, head: string): number {
    const above = this.#loose[start - 1];
    if (above === undefined) return start;
    const isAnnounced = above.plain !== null &&
      (LOGGED_HEAD.test(head) || repeatsMessage(above.text, head));
    if (isAnnounced) return start - 1;
    if (!isIndented(head)) return start;
    for (let at = start - 1; at >= 0; at--) {
      const line = this.#loose[at]!;
      if (line.plain !== null) return at;
      if (isBlank(line.text) || !isIndented(line.text)) return start;
    }
    return start;
  }

  #close(): void {
    const block = this.#block;
    this.#block = null;
    if (block === null) return;
    const lines = [...block.lines, ...block.tail];
    while (lines.length > 1 && isBlank(lines.at(-1)!)) lines.pop();
    const facts = block.recogniser.read(lines);
    if (facts === null) return;
    this.#sink(withPrefix(facts, block.prefix), block.ts);
  }

  #keep(ts: string, text: string, plain: ErrorFacts | null): void {
    const last = this.#loose.at(-1);
    let more = NOTHING;
    if (plain !== null) more = [];
    else if (
      last !== undefined && last.more !== NOTHING && continuesPlain(text)
    ) {
      more = last.more;
      if (more.length < MAX_MORE_LINES) more.push(text);
    }
    this.#loose.push({ text, ts, index: this.#count - 1, plain, more });
    this.#texts.push(text);
    if (this.#loose.length >= 2 * MAX_BEFORE) this.#settle(MAX_BEFORE);
  }

  /** Gives up the oldest lines: no block will want them. */
  #settle(count: number): void {
    this.#texts.splice(0, count);
    for (const { plain, ts, more } of this.#loose.splice(0, count)) {
      if (plain === null) continue;
      this.#sink({ ...plain, lines: [...plain.lines, ...more] }, ts);
    }
  }
}

/** Whether a line tells the message of the error below it, as loggers do that print the stack apart. */
function repeatsMessage(line: string, head: string): boolean {
  const message = /^\w*(?:Error|Exception): (.+)$/.exec(head)?.[1];
  return message !== undefined && line.includes(message);
}

function withPrefix(
  facts: ErrorFacts,
  prefix: readonly string[],
): ErrorFacts {
  if (prefix.length === 0) return facts;
  const by = prefix.length;
  return {
    ...facts,
    lines: [...prefix, ...facts.lines],
    frames: facts.frames.map((frame) => ({ ...frame, at: frame.at + by })),
    marks: facts.marks?.map((mark) => mark + by) ?? [],
  };
}

function isPause(before: string, after: string): boolean {
  if (before === after || before === "" || after === "") return false;
  if (before.slice(0, 18) === after.slice(0, 18)) return false;
  const ms = (ts: string) => Date.parse(ts.endsWith("Z") ? ts : `${ts}Z`);
  return ms(after) - ms(before) > MAX_PAUSE_MS;
}
