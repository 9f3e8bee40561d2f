/**
 * The keeper's own log: plain lines about itself, never about what tasks say.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { LineAssembler } from "../logs/line_assembler.ts";
import { LogWriter } from "../logs/log_writer.ts";

const MAX_BYTES = 1024 * 1024;
const MAX_FILES = 1;

/** See the module. */
export class OwnLog implements Disposable {
  readonly #clock: Clock;
  readonly #writer: LogWriter;
  readonly #assembler: LineAssembler;
  readonly #encoder = new TextEncoder();

  /** @param path Absolute. Rotated at 1 MiB; one older file is kept. */
  constructor(path: string, clock: Clock) {
    this.#clock = clock;
    this.#writer = new LogWriter({
      path,
      maxBytes: MAX_BYTES,
      maxFiles: MAX_FILES,
      clock,
      // There is nobody else to tell.
      onTrouble: () => {},
    });
    this.#assembler = new LineAssembler((lines) => this.#writer.write(lines));
  }

  /** Writes a line, or several. */
  write(text: string): void {
    const bytes = this.#encoder.encode(`${text}\n`);
    this.#assembler.push(bytes, this.#clock.now());
    this.#assembler.drain();
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }
}
