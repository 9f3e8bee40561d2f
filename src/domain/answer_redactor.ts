/**
 * Takes secrets out of answers: every text of them, but no key, number, name, cursor or path.
 *
 * @module
 */

import { MASK } from "./ranges.ts";
import type { LineRedactor, Redactor } from "./redactor.ts";
import { isSecretName } from "./secret_name.ts";

/** Keys whose value names something and must be the same in every answer. */
const NAMES: ReadonlySet<string> = new Set([
  "at",
  "caller",
  "config_path",
  "cursor",
  "cwd",
  "depends_on",
  "error_code",
  "event",
  "file",
  "files",
  "fingerprint",
  "id",
  "known",
  "log_file",
  "name",
  "path",
  "project_id",
  "run_id",
  "session",
  "state",
  "task",
  "tasks",
  "ts",
  "version",
]);

/** Items of a list that are looked at in one turn of the event loop: a fraction of a millisecond. */
const LINES_PER_TURN = 200;

/** The same in characters: a line may have 64 Ki of them. */
const UNITS_PER_TURN = 256 * 1024;

/** Lines that are looked at together, since most hold nothing. */
const LINES_AT_ONCE = 20;

/** Deepest answer; nothing of ours is nearly as deep. */
const MAX_DEPTH = 64;

/**
 * Redacts one answer, or the items of one stream in order. What holds no secret is returned as it is, not copied. Costs
 * one look at each text.
 */
export class AnswerRedactor {
  #redactor: Redactor;
  /** By task: a private key may go over several records. */
  #lines = new Map<string, LineRedactor>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** Goes on with other secrets. */
  use(redactor: Redactor): void {
    if (redactor === this.#redactor) return;
    this.#redactor = redactor;
    this.#lines = new Map();
  }

  /** The answer without secrets. */
  redact<T>(answer: T): T {
    return this.#value(answer, 0) as T;
  }

  /**
   * The same for an answer that may hold a long list: after every few hundred items others have their turn.
   *
   * @param nextTurn Resolves in a later turn of the event loop, or throws if nobody waits for the answer any more.
   */
  async redactInTurns<T extends object>(
    answer: T,
    nextTurn: () => Promise<void>,
  ): Promise<T> {
    const long = Object.entries(answer).filter(([, value]) => isLong(value));
    if (long.length === 0) return this.redact(answer);
    const rest = long.map(([key]) => [key, []] as const);
    const safe = this.redact({ ...answer, ...Object.fromEntries(rest) });
    const lists: [string, readonly unknown[]][] = [];
    for (const [key, items] of long as [string, readonly unknown[]][]) {
      if (NAMES.has(key) && isName(items)) {
        lists.push([key, items]);
        continue;
      }
      const walk = this.#walk(items, 1);
      for (let from = 0; from < items.length;) {
        await nextTurn();
        const to = endOfTurn(items, from);
        walk.go(from, to);
        from = to;
      }
      lists.push([key, walk.result()]);
    }
    return { ...safe, ...Object.fromEntries(lists) };
  }

  #value(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.#redactor.text(value);
    if (typeof value !== "object" || value === null) return value;
    if (depth >= MAX_DEPTH) return MASK;
    return Array.isArray(value)
      ? this.#array(value, depth)
      : this.#record(value as Readonly<Record<string, unknown>>, depth);
  }

  #record(
    record: Readonly<Record<string, unknown>>,
    depth: number,
  ): Readonly<Record<string, unknown>> {
    let copy: Record<string, unknown> | null = null;
    for (const key of Object.keys(record)) {
      const value = record[key];
      const safe = this.#entry(key, value, record, depth);
      if (safe === value) continue;
      copy ??= { ...record };
      // An own property, whatever its name is.
      Object.defineProperty(copy, key, {
        value: safe,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return copy ?? record;
  }

  #entry(
    key: string,
    value: unknown,
    record: Readonly<Record<string, unknown>>,
    depth: number,
  ): unknown {
    if (NAMES.has(key) && isName(value)) return value;
    if (key === "env" && isRecord(value)) return this.#environment(value);
    if (key === "text" && typeof value === "string") {
      return this.#linesOf(record["task"]).line(value);
    }
    return this.#value(value, depth + 1);
  }

  /** Here names tell which values are secret, however short these are. */
  #environment(
    env: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>> {
    const entries = Object.entries(env).map(([name, value]) =>
      [
        name,
        typeof value !== "string" || value === ""
          ? value
          : isSecretName(name)
          ? MASK
          : this.#redactor.text(value),
      ] as const
    );
    return Object.fromEntries(entries);
  }

  /** Lines of one source, or records of several. */
  #array(items: readonly unknown[], depth: number): readonly unknown[] {
    const walk = this.#walk(items, depth);
    walk.go(0, items.length);
    return walk.result();
  }

  /** A list that is looked at part by part, in order. */
  #walk(items: readonly unknown[], depth: number): {
    go(from: number, to: number): void;
    result(): readonly unknown[];
  } {
    const lines = this.#redactor.lines();
    const texts = items.filter((item) => typeof item === "string");
    lines.expect(texts);
    if (texts.length < items.length) this.#expectRecords(items);
    let copy: unknown[] | null = null;
    return {
      go: (from, to) => {
        for (let index = from; index < to; index++) {
          const isNext = (index - from) % LINES_AT_ONCE === 0;
          const end = Math.min(index + LINES_AT_ONCE, to);
          const next = isNext ? items.slice(index, end) : [];
          const areHarmless = isNext && areTexts(next) &&
            lines.areHarmless(next.join("\n"));
          if (areHarmless) {
            index = end - 1;
            continue;
          }
          const item = items[index];
          const safe = typeof item !== "string"
            ? this.#value(item, depth + 1)
            : item.includes("\n")
            ? this.#redactor.text(item)
            : lines.line(item);
          if (safe === item) continue;
          copy ??= [...items];
          copy[index] = safe;
        }
      },
      result: () => copy ?? items,
    };
  }

  /** Looks for keys that end in these records and began before them. */
  #expectRecords(items: readonly unknown[]): void {
    const records = items.filter(isRecord).filter(isLine);
    if (!records.some(({ text }) => text.includes("PRIVATE KEY"))) return;
    for (const [task, own] of Map.groupBy(records, ({ task }) => task)) {
      this.#linesOf(task).expect(own.map(({ text }) => text));
    }
  }

  #linesOf(task: unknown): LineRedactor {
    const name = typeof task === "string" ? task : "";
    const known = this.#lines.get(name);
    if (known !== undefined) return known;
    const made = this.#redactor.lines();
    this.#lines.set(name, made);
    return made;
  }
}

/** Whether an answer with this list is for {@linkcode AnswerRedactor.redactInTurns}. */
export function isLong(value: unknown): boolean {
  return Array.isArray(value) && endOfTurn(value, 0) < value.length;
}

/** Where the items end that are looked at in one turn, at least one. */
function endOfTurn(items: readonly unknown[], from: number): number {
  const last = Math.min(from + LINES_PER_TURN, items.length);
  let units = 0;
  for (let at = from; at < last; at++) {
    units += unitsOf(items[at]);
    if (units >= UNITS_PER_TURN) return at + 1;
  }
  return last;
}

/** Length of a line, in whichever form. */
function unitsOf(item: unknown): number {
  if (typeof item === "string") return item.length;
  return isRecord(item) && isLine(item) ? item.text.length : 0;
}

function areTexts(items: readonly unknown[]): items is readonly string[] {
  return items.every((item) => typeof item === "string");
}

function isName(value: unknown): boolean {
  return typeof value === "string" ||
    (Array.isArray(value) && value.every((item) => typeof item === "string"));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLine(
  record: Readonly<Record<string, unknown>>,
): record is { readonly text: string; readonly task: unknown } {
  return typeof record["text"] === "string";
}
