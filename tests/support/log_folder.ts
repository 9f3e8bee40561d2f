/**
 * A folder of log files for one test, written the way the keeper writes them.
 *
 * @module
 */

import type { LogQuery, LogSource } from "../../src/logs/log_query.ts";

/** First time of the lines that {@linkcode LogFolder.line} makes. */
export const START_MS = Date.UTC(2026, 10, 20, 10, 0, 0);

/** The folder. Disposing removes it. */
export class LogFolder implements Disposable {
  readonly path: string;
  #made = 0;

  constructor() {
    this.path = Deno.makeTempDirSync({ prefix: "tmx-logs-" });
  }

  /** Path of a task's current file. */
  file(task: string): string {
    return `${this.path}/${task}.log`;
  }

  /** A source for a query. */
  source(task: string): LogSource {
    return { task, path: this.file(task) };
  }

  /** A line one millisecond after the one before it, without its newline. */
  line(text: string): string {
    return `${timeOf(START_MS + this.#made++)} ${text}`;
  }

  /** Appends whole lines to the current file, creating it. */
  append(task: string, lines: readonly string[]): void {
    this.appendRaw(task, lines.map((line) => `${line}\n`).join(""));
  }

  /** Appends text to the current file, creating it. */
  appendRaw(task: string, text: string): void {
    Deno.writeTextFileSync(this.file(task), text, { append: true });
  }

  /** Moves the files on by one, as the log writer does; the current file is then missing. */
  rotate(task: string, maxFiles = 3): void {
    const path = this.file(task);
    removeIfThere(`${path}.${maxFiles}`);
    for (let n = maxFiles - 1; n >= 1; n--) {
      renameIfThere(`${path}.${n}`, `${path}.${n + 1}`);
    }
    renameIfThere(path, `${path}.1`);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A query for all of some logs, with changes. */
export function queryOf(
  sources: readonly LogSource[],
  changes: Partial<LogQuery> = {},
): LogQuery {
  return {
    sources,
    lines: null,
    grep: null,
    context: 0,
    sinceMs: null,
    untilMs: null,
    cursor: null,
    ...changes,
  };
}

/** A time as it stands in a log file. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
