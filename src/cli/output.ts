/**
 * Where answers go: one JSON value or human text on stdout, everything else on stderr.
 *
 * A reader that closes early (`| head`) is no error; what it did not want is dropped.
 *
 * @module
 */

import type { TaskmuxError } from "../domain/error.ts";
import type { RecentEvents } from "../domain/recent_events.ts";
import { utf8Length } from "../kit/utf8_length.ts";
import { errorLines } from "./render/error.ts";
import { makePaint, type Paint } from "./render/paint.ts";

/** Where bytes go. */
export interface Sink {
  write(bytes: Uint8Array): Promise<number>;
  isTerminal(): boolean;
}

/** Where answers to questions come from. */
export interface Source {
  isTerminal(): boolean;
}

/** Where what is new to the caller comes from. */
export interface NewsSource {
  /** What was not told yet; null = nobody has said anything of it. */
  take(): RecentEvents | null;
  /** The same, which stays there. */
  peek(): RecentEvents | null;
}

/** The size of a terminal in characters. */
export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** A long text is encoded in blocks of so many bytes. */
const BLOCK_BYTES = 128 * 1024;

const USUAL_SIZE: TerminalSize = { width: 80, height: 24 };

/** What decides how an answer looks. */
export interface OutputOptions {
  readonly json: boolean;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Without it nobody can be asked. */
  readonly stdin?: Source;
  /** The agent that calls, for which a terminal is as good as a pipe; a person or a program by default. */
  readonly agent?: string | null;
  /** `TERM=dumb`: the terminal can only print lines, so it is as good as a pipe, too. */
  readonly isDumb?: boolean;
  /** `NO_COLOR`. */
  readonly noColor: boolean;
  /** The size of the terminal; null when there is none. */
  readonly terminalSize: () => TerminalSize | null;
}

/** The two streams of one invocation. */
export class Output {
  readonly json: boolean;
  /** Whether stdout is a terminal and the answer is for people. */
  readonly isTerminal: boolean;
  /** Whether progress can be drawn on stderr. */
  readonly isLive: boolean;
  /** Whether a person is there to be asked: without a terminal, for an agent and in JSON mode nobody is. */
  readonly canAsk: boolean;
  /** The agent that calls; null for a person or a program. */
  readonly agent: string | null;
  readonly paint: Paint;
  readonly paintError: Paint;
  readonly #options: OutputOptions;
  readonly #encoder = new TextEncoder();
  #closed = false;
  #block: Uint8Array<ArrayBuffer> | null = null;
  #news: NewsSource | null = null;

  constructor(options: OutputOptions) {
    const { json, stdout, stderr, stdin, noColor, agent = null } = options;
    this.#options = options;
    this.json = json;
    this.agent = agent;
    const canDraw = !json && agent === null && options.isDumb !== true;
    this.isTerminal = canDraw && stdout.isTerminal();
    this.isLive = canDraw && stderr.isTerminal();
    this.canAsk = this.isTerminal && stdin?.isTerminal() === true;
    this.paint = makePaint(this.isTerminal && !noColor);
    this.paintError = makePaint(this.isLive && !noColor);
  }

  /** Whether the reader of stdout has gone, so that nothing more need be made for it. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Columns that a line may have: those of the terminal, else no limit. */
  get width(): number {
    return this.isTerminal ? this.liveSize.width : Infinity;
  }

  /** The size of the terminal behind stderr. */
  get liveSize(): TerminalSize {
    return this.#options.terminalSize() ?? USUAL_SIZE;
  }

  /** The answer: as it is in JSON mode, else as lines for people. */
  async answer(value: object, render: () => readonly string[]): Promise<void> {
    if (this.json) await this.value(value);
    else await this.lines(render());
  }

  /** One JSON value on one line of stdout, with what is new to the caller. */
  async value(value: object): Promise<void> {
    await this.#toStdout(JSON.stringify(this.withNews(value)) + "\n");
  }

  /** The value with what is new to the caller, which is then told. */
  withNews(value: object): object {
    return { ...value, ...this.#news?.take() };
  }

  /** Bytes that the next value will be longer by than it is itself. */
  get newsBytes(): number {
    const news = this.json ? this.#news?.peek() ?? null : null;
    // A comma in place of the braces.
    return news === null ? 0 : utf8Length(JSON.stringify(news)) - 1;
  }

  /** From now on what is new to the caller is told, with the next value or, to people, at the end. */
  tellNews(source: NewsSource): void {
    this.#news = source;
  }

  /** What is to be said when all is said: to people what is new to the caller. */
  async end(): Promise<void> {
    if (this.json) return;
    const news = this.#news?.take() ?? null;
    if (news === null || news.recent_events.length === 0) return;
    const { newsLines } = await import("./render/news.ts");
    await this.notes(newsLines(news));
  }

  /** Lines of stdout. */
  async lines(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.#toStdout(lines.join("\n") + "\n");
  }

  /** A part of stdout as it is, for an answer that is made piece by piece. */
  async piece(text: string): Promise<void> {
    if (text !== "") await this.#toStdout(text);
  }

  /** Lines of stderr: warnings, hints, progress. Nothing in JSON mode. */
  async notes(lines: readonly string[]): Promise<void> {
    if (this.json || lines.length === 0) return;
    await this.raw(lines.join("\n") + "\n");
  }

  /** Tells an agent that the command does not end by itself, and what does. Nothing to anybody else. */
  async warnEndless(instead: string): Promise<void> {
    if (this.agent === null) return;
    await this.notes([`note: this goes on until it is ended; ${instead}`]);
  }

  /** Text for the terminal behind stderr, as it is. */
  async raw(text: string): Promise<void> {
    await writeAll(this.#options.stderr, this.#encoder.encode(text));
  }

  /** The one shape of an error: on stdout in JSON mode, for people on stderr. */
  async error(error: TaskmuxError): Promise<void> {
    if (this.json) await this.value(error.toShape());
    else await this.notes(errorLines(error.toShape(), this.paintError));
  }

  async #toStdout(text: string): Promise<void> {
    if (text.length < BLOCK_BYTES / 2) {
      await this.#write(this.#encoder.encode(text));
      return;
    }
    // Always the same bytes: of a long answer, what is thrown away would pile up.
    this.#block ??= new Uint8Array(BLOCK_BYTES);
    for (let rest = text; rest !== "" && !this.#closed;) {
      const { read, written } = this.#encoder.encodeInto(rest, this.#block);
      await this.#write(this.#block.subarray(0, written));
      rest = rest.slice(read);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return;
    this.#closed = !(await writeAll(this.#options.stdout, bytes));
  }
}

/** Whether the reader took it all. */
async function writeAll(sink: Sink, bytes: Uint8Array): Promise<boolean> {
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += await sink.write(bytes.subarray(sent));
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}
