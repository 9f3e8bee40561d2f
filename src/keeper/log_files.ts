/**
 * The log files of all runs: one writer per path, however many runs share it.
 *
 * A restarted run appends to the file of the one before, which may still be ending.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { LogWriter } from "../logs/log_writer.ts";
import type { LogTarget } from "../pty/protocol.ts";

/** Told when the file cannot be written, with the reason, and with null when it can be again. */
export type TroubleListener = (
  reason: string | null,
  droppedBytes: number,
) => void;

/** One run's hold on a log file. */
export interface LogHold extends Disposable {
  /** Writes finished lines. Never throws for trouble with the file. */
  write(lines: Uint8Array): void;
}

interface SharedFile {
  readonly writer: LogWriter;
  readonly listeners: Set<TroubleListener>;
}

/** See the module. */
export class LogFiles {
  readonly #clock: Clock;
  readonly #files = new Map<string, SharedFile>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes hold of a log file. Its newest holder decides the limits. The file is closed when the last hold is disposed. */
  hold(target: LogTarget, onTrouble: TroubleListener): LogHold {
    const file = this.#files.get(target.path) ?? this.#open(target);
    file.writer.setLimits(target);
    file.listeners.add(onTrouble);
    if (file.writer.trouble !== null) onTrouble(file.writer.trouble, 0);
    return {
      write: (lines) => file.writer.write(lines),
      [Symbol.dispose]: () => {
        file.listeners.delete(onTrouble);
        if (file.listeners.size > 0) return;
        file.writer[Symbol.dispose]();
        this.#files.delete(target.path);
      },
    };
  }

  /** Why a file that is held cannot be written; null if it can. */
  troubleOf(path: string): string | null {
    return this.#files.get(path)?.writer.trouble ?? null;
  }

  #open(target: LogTarget): SharedFile {
    const listeners = new Set<TroubleListener>();
    const writer = new LogWriter({
      ...target,
      clock: this.#clock,
      onTrouble: (reason, droppedBytes) => {
        for (const listener of listeners) listener(reason, droppedBytes);
      },
    });
    const file = { writer, listeners };
    this.#files.set(target.path, file);
    return file;
  }
}
