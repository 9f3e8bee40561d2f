/**
 * Takes secrets out of lines of logs, as they are read from files.
 *
 * @module
 */

import type { LineRedactor, Redactor } from "./redactor.ts";
import { visibleText } from "./visible_text.ts";

/** A line of a log, as it is read from its file. */
export interface ReadLine {
  readonly task: string;
  readonly text: string;
  readonly styled?: string;
  readonly raw?: string;
}

/** Lines that are looked at together first. */
const LINES_AT_ONCE = 100;

/** Redacts lines of several tasks, in their order: a private key goes over several lines of one. */
export class RecordRedactor {
  #redactor: Redactor;
  #tasks = new Map<string, LineRedactor>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** Goes on with other secrets. */
  use(redactor: Redactor): void {
    this.#redactor = redactor;
    this.#tasks = new Map();
  }

  /** Lines that come next, together: a key of which only the end is among them is found. */
  lines<L extends ReadLine>(lines: readonly L[]): readonly L[] {
    const changed = new Map<L, L>();
    for (const [task, own] of Map.groupBy(lines, (line) => line.task)) {
      const redactor = this.of(task);
      redactor.expect(own.map(({ text }) => text));
      for (let at = 0; at < own.length; at += LINES_AT_ONCE) {
        const some = own.slice(at, at + LINES_AT_ONCE);
        const texts = some.map(({ text, styled = text }) => styled);
        if (redactor.areHarmless(texts.join("\n"))) continue;
        for (const line of some) {
          const safe = this.line(line);
          if (safe !== line) changed.set(line, safe);
        }
      }
    }
    return changed.size === 0
      ? lines
      : lines.map((line) => changed.get(line) ?? line);
  }

  /** The next line. What holds no secret is returned as it is. */
  line<L extends ReadLine>(line: L): L {
    const { task, text, styled = text, raw } = line;
    const safe = this.of(task).line(styled);
    if (safe === styled) return line;
    return {
      ...line,
      text: text === styled ? safe : visibleText(safe).text,
      ...line.styled === undefined ? {} : { styled: safe },
      ...raw === undefined
        ? {}
        : { raw: raw.slice(0, raw.length - styled.length) + safe },
    };
  }

  /** The lines of one task. */
  of(task: string): LineRedactor {
    const known = this.#tasks.get(task);
    if (known !== undefined) return known;
    const made = this.#redactor.lines();
    this.#tasks.set(task, made);
    return made;
  }
}
