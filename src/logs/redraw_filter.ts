/**
 * Leaves of a log what a terminal would still show: not the frames of spinners, progress bars and lists that were drawn
 * over one another by moving the cursor up, as docker, npm, Vite and Ink do.
 *
 * A small model of a terminal: the last rows of each task, each one line of the log, and a cursor among them. Clearing
 * the whole screen takes nothing away, for that is what watchers do before they go on. An error that something else is
 * drawn over stays.
 *
 * @module
 */

import { isLowSurrogate } from "../kit/utf8_length.ts";
import {
  type BudgetLine,
  type Extent,
  NO_EXTENT,
  sumOf,
} from "./budget_line.ts";
import { plainText } from "./plain_text.ts";
import { isSimilar } from "./similar_text.ts";

/** Rows that can still be drawn over. The terminals of tasks are smaller. */
const MAX_ROWS = 256;

/** A line whose text is still that of the terminal. */
export interface PrintedLine {
  readonly task: string;
  /** With its control sequences. */
  readonly styled: string;
  /** What it is in the file. */
  readonly extent: Extent;
  /** The finished line for the text that is left of it. */
  readonly toLine: (text: string) => BudgetLine;
}

/** Takes lines, gives those that stay. Holds at most twice {@linkcode MAX_ROWS} of them. */
export class RedrawFilter {
  readonly #rows: Row[] = [];
  readonly #screens = new Map<string, Screen>();
  readonly #isWhole: boolean;

  /** @param isWhole Whether no line of a task is missing; else nobody can tell where its cursor goes. */
  constructor({ isWhole }: { readonly isWhole: boolean }) {
    this.#isWhole = isWhole;
  }

  /** The next line. @returns What is finished now, in order. */
  push(line: PrintedLine): readonly BudgetLine[] {
    const screen = this.#screenOf(line.task);
    if (screen.y === screen.end && line.styled.search(MOVES) === -1) {
      this.#append(screen, line.toLine(cleanText(line.styled)));
    } else this.#draw(screen, line);
    // Many at once: to move the others takes longer than all the rest.
    return this.#rows.length < 2 * MAX_ROWS
      ? NOTHING
      : this.#rows.splice(0, this.#rows.length - MAX_ROWS).map(lineOfRow);
  }

  /** What is still held, in order. */
  flush(): readonly BudgetLine[] {
    const rows = this.#rows.splice(0);
    for (const screen of this.#screens.values()) {
      const last = rows.findLast((row) => row.screen === screen);
      if (last !== undefined) last.line = withRedrawn(last.line, screen.gone);
      else if (screen.gone.lines > 0 && screen.last !== null) {
        const { bytes, lines } = screen.gone;
        const line = screen.last.toLine("");
        const redrawn = lines - 1;
        rows.push({
          screen,
          y: 0,
          line: { ...line, redrawn, extent: { lines, bytes } },
        });
      }
    }
    this.#screens.clear();
    return rows.map(lineOfRow);
  }

  #screenOf(task: string): Screen {
    let screen = this.#screens.get(task);
    if (screen === undefined) {
      screen = { y: 0, end: 0, gone: NO_EXTENT, last: null };
      this.#screens.set(task, screen);
    }
    return screen;
  }

  /** A new row below the others. The cursor is there. */
  #append(screen: Screen, line: BudgetLine): void {
    this.#rows.push({
      screen,
      y: screen.end,
      line: withRedrawn(line, screen.gone),
    });
    screen.gone = NO_EXTENT;
    screen.end++;
    screen.y = screen.end;
  }

  #draw(screen: Screen, printed: PrintedLine): void {
    screen.last = printed;
    const pen: Pen = {
      printed,
      text: "",
      isTouched: false,
      isAtStart: true,
      hasMoved: false,
    };
    let from = 0;
    for (const match of printed.styled.matchAll(MOVES)) {
      write(pen, printed.styled.slice(from, match.index));
      from = match.index + match[0].length;
      this.#move(screen, pen, match);
    }
    write(pen, printed.styled.slice(from));
    this.#endLine(screen, pen, printed);
  }

  /** One carriage return or control sequence. */
  #move(screen: Screen, pen: Pen, match: RegExpExecArray): void {
    const [whole, parameter = "", final] = match;
    if (whole === "\r") {
      pen.isAtStart = true;
      return;
    }
    const count = Math.max(1, Number.parseInt(parameter) || 0);
    switch (final) {
      case "A":
      case "F":
        this.#leave(screen, pen, screen.y - count);
        break;
      case "B":
      case "E":
        this.#leave(screen, pen, Math.min(screen.y + count, screen.end));
        break;
      case "G":
        if (count === 1) pen.isAtStart = true;
        break;
      case "K":
        if (parameter === "2" || pen.isAtStart) erase(pen);
        break;
      case "J":
        if (parameter === "" || parameter === "0") {
          if (pen.isAtStart) erase(pen);
          this.#eraseBelow(screen);
        } else screen.y = screen.end;
        break;
      case "H":
        screen.y = screen.end;
        break;
    }
  }

  /** The cursor goes to another row, and leaves behind what it wrote. */
  #leave(screen: Screen, pen: Pen, y: number): void {
    if (!this.#isWhole) return;
    const row = pen.isTouched ? this.#rowAt(screen) : undefined;
    // Without a row it is the last one, which whoever draws so will draw again.
    if (row !== undefined) {
      const text = cleanText(pen.text);
      if (text.trim() === "") this.#remove(row, text);
      else if (!isLostIn(row.line, text)) {
        const { redrawn, extent } = row.line;
        row.line = { ...pen.printed.toLine(text), redrawn, extent };
      }
    }
    screen.y = Math.max(0, y);
    pen.text = "";
    pen.isTouched = false;
    pen.isAtStart = true;
    pen.hasMoved = true;
  }

  #eraseBelow(screen: Screen): void {
    if (!this.#isWhole) return;
    for (const row of this.#rows.toReversed()) {
      if (row.screen === screen && row.y > screen.y) this.#remove(row, "");
    }
    screen.end = Math.max(
      screen.y,
      ...this.#rows.filter((row) => row.screen === screen).map(({ y }) =>
        y + 1
      ),
    );
  }

  #endLine(screen: Screen, pen: Pen, printed: PrintedLine): void {
    const text = cleanText(pen.text);
    if (screen.y >= screen.end) {
      if (text === "" && pen.hasMoved) {
        screen.gone = sumOf(screen.gone, printed.extent);
        screen.y = ++screen.end;
      } else this.#append(screen, printed.toLine(text));
      return;
    }
    const row = this.#rowAt(screen);
    if (row !== undefined && !pen.isTouched) {
      // A mere step down.
      row.line = withRedrawn(row.line, printed.extent);
      screen.y++;
      return;
    }
    if (row !== undefined) this.#remove(row, text);
    if (text.trim() === "") screen.gone = sumOf(screen.gone, printed.extent);
    else {
      const line = withRedrawn(printed.toLine(text), screen.gone);
      // At the end: the time of what was drawn last.
      this.#rows.push({ screen, y: screen.y, line });
      screen.gone = NO_EXTENT;
    }
    screen.y++;
  }

  #rowAt(screen: Screen): Row | undefined {
    return this.#rows.findLast((row) =>
      row.screen === screen && row.y === screen.y
    );
  }

  /** Something is drawn over a row. */
  #remove(row: Row, text: string): void {
    const { screen, line } = row;
    if (isLostIn(line, text)) row.y = OFF_SCREEN;
    else {
      this.#rows.splice(this.#rows.indexOf(row), 1);
      screen.gone = sumOf(screen.gone, line.extent);
    }
  }
}

/** Text without anything that is not text. Tabs stay. */
export function cleanText(text: string): string {
  const plain = plainText(text);
  return CONTROLS.test(plain) ? plain.replaceAll(ALL_CONTROLS, "") : plain;
}

const NOTHING: readonly BudgetLine[] = [];

const OFF_SCREEN = -1;

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/;
// deno-lint-ignore no-control-regex
const ALL_CONTROLS = /[\x00-\x08\x0a-\x1f\x7f-\x9f]+/g;

/** What moves the cursor or erases. */
// deno-lint-ignore no-control-regex
const MOVES = /\r|\x1b\[([0-?]*)[ -/]*([ABEFGHJK])/g;

interface Row {
  readonly screen: Screen;
  /** Counts from the first row of the task; {@linkcode OFF_SCREEN} = nothing is drawn over it any more. */
  y: number;
  line: BudgetLine;
}

/** The terminal of a task. */
interface Screen {
  /** The row of the cursor. */
  y: number;
  /** The row after the last one. */
  end: number;
  /** Lines that were drawn over and are counted with the next one. */
  gone: Extent;
  /** The last line that moved the cursor. */
  last: PrintedLine | null;
}

/** What has been written in the row of the cursor. */
interface Pen {
  readonly printed: PrintedLine;
  text: string;
  /** Whether the row holds something else than before. */
  isTouched: boolean;
  /** Whether the next text begins at the first column. */
  isAtStart: boolean;
  /** Whether it was in another row before. */
  hasMoved: boolean;
}

function write(pen: Pen, part: string): void {
  const text = cleanText(part);
  if (text === "") return;
  if (pen.isAtStart) {
    const rest = pen.text.slice(text.length);
    const isTorn = isLowSurrogate(rest.charCodeAt(0));
    pen.text = text + (isTorn ? rest.slice(1) : rest);
  } else pen.text += text;
  pen.isTouched = true;
  pen.isAtStart = false;
}

function erase(pen: Pen): void {
  pen.text = "";
  pen.isTouched = true;
}

/** Whether something else than the error that stands in a row would be there. */
function isLostIn(
  { isError, text: { head } }: BudgetLine,
  text: string,
): boolean {
  return isError && !isSimilar(head, text);
}

function withRedrawn(line: BudgetLine, gone: Extent): BudgetLine {
  if (gone.lines === 0) return line;
  return {
    ...line,
    redrawn: line.redrawn + gone.lines,
    extent: sumOf(line.extent, gone),
  };
}

function lineOfRow({ line }: Row): BudgetLine {
  return line;
}
