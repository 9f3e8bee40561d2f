/**
 * A line in the daemon's log for each call that changes something and was asked by somebody else than the command line.
 *
 * @module
 */

import { contract } from "../contract/mod.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { Clock } from "../kit/clock.ts";
import type { JsonObject } from "../kit/json.ts";
import type { TaskScope } from "../kit/task_scope.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Length of the time for which lines are counted, in milliseconds. */
const WINDOW_MS = 10_000;

/** Lines of one caller in that time. What is beyond is told in sums, so that a flood pushes nothing out of the log. */
export const LINES_PER_CALLER = 40;

/** Lines of all callers in that time. */
export const LINES_PER_WINDOW = 200;

/** Sums that are kept apart in that time; beyond it there is one for all others. */
const MAX_SUMS = 20;

/** Longest name of a caller, and of what was done, in characters. */
const LENGTH_MAX = 160;

/** Parameters that are told when they are true. Values of others may be secrets: environments, commands. */
const FLAGS: readonly string[] = ["apply", "dry_run", "force", "keep_tasks"];

/** What an audit needs. */
export interface AuditOptions {
  readonly clock: Clock;
  /** Its end tells what is still summed up. */
  readonly scope: Pick<TaskScope, "run">;
  log(level: "info", message: string): void;
}

/**
 * Answers as `inner` does. Of a call with a label, of an operation that is not only read, it is logged who asked what of
 * which task, how it ended and how long it took; never an environment, a command or the text of an error.
 */
export function withAudit(
  inner: Dispatcher,
  options: AuditOptions,
): Dispatcher {
  const lines = new AuditLines(options);
  const { clock } = options;
  return {
    ...inner,
    async call(name, params, caller) {
      const { label } = caller;
      if (label === undefined || !isActing(name)) {
        return await inner.call(name, params, caller);
      }
      const since = clock.monotonic();
      const who = printable(label);
      const what = `${name} ${subjectOf(params)}`.trim();
      const end = (outcome: string): void => {
        const ms = Math.round(clock.monotonic() - since);
        lines.add({ who, name, what, outcome, ms });
      };
      try {
        const answer = await inner.call(name, params, caller);
        end(outcomeOf(answer));
        return answer;
      } catch (error) {
        end(error instanceof TaskmuxError ? error.code : "E900");
        throw error;
      }
    },
  };
}

interface Entry {
  readonly who: string;
  readonly name: string;
  readonly what: string;
  /** `ok` or the code of an error. */
  readonly outcome: string;
  readonly ms: number;
}

/** The lines of one daemon, bounded in time. */
class AuditLines {
  readonly #options: AuditOptions;
  readonly #sums = new Map<string, number>();
  #begun: number | null = null;
  /** Lines by caller. */
  readonly #counts = new Map<string, number>();
  #count = 0;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  add({ who, name, what, outcome, ms }: Entry): void {
    this.#begin();
    const count = this.#counts.get(who) ?? 0;
    if (count < LINES_PER_CALLER && this.#count < LINES_PER_WINDOW) {
      this.#counts.set(who, count + 1);
      this.#count++;
      this.#write(`${who}: ${what} → ${outcome} ${ms} ms`);
      return;
    }
    const key = `${who}: ${name} → ${outcome}`;
    const isKept = this.#sums.has(key) || this.#sums.size < MAX_SUMS;
    const sum = isKept ? key : "others";
    this.#sums.set(sum, (this.#sums.get(sum) ?? 0) + 1);
  }

  #begin(): void {
    const { clock, scope } = this.#options;
    const now = clock.monotonic();
    if (this.#begun !== null && now - this.#begun < WINDOW_MS) return;
    this.#flush();
    this.#begun = now;
    this.#counts.clear();
    this.#count = 0;
    scope.run(async (signal) => {
      // What was summed up is told also when the daemon ends meanwhile.
      await clock.sleep(WINDOW_MS, signal).then(() => {}, () => {});
      if (this.#begun === now) this.#flush();
    });
  }

  #flush(): void {
    for (const [sum, count] of this.#sums) {
      this.#write(`${count} more of ${sum}`);
    }
    this.#sums.clear();
  }

  #write(text: string): void {
    this.#options.log("info", `audit: ${text}`);
  }
}

function isActing(name: string): boolean {
  return Object.hasOwn(contract, name) &&
    contract[name as keyof typeof contract].permission !== "read";
}

function outcomeOf({ ok, error_code: code }: JsonObject): string {
  if (ok !== false) return "ok";
  return typeof code === "string" ? code : "failed";
}

/** `shop/api,web`, `shop`, or the path of a project. */
function subjectOf(params: unknown): string {
  if (typeof params !== "object" || params === null) return "";
  const { scope, session, config, task, tasks, ...rest } = params as Record<
    string,
    unknown
  >;
  const { session: id, config: path } = Object(scope) as Record<
    string,
    unknown
  >;
  const project = [id, path, session, config].find((each) =>
    typeof each === "string"
  );
  const named = [task, ...Array.isArray(tasks) ? tasks : []].filter((each) =>
    typeof each === "string"
  );
  const place = [project, named.join(",")].filter((each) =>
    each !== undefined && each !== ""
  ).join("/");
  const flags = FLAGS.filter((flag) => rest[flag] === true);
  return printable([place, ...flags].join(" ").trim());
}

/** What a client calls itself must neither begin a line of its own in the log nor hide one. */
function printable(text: string): string {
  const safe = text.slice(0, 2 * LENGTH_MAX).replaceAll(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  return safe.length <= LENGTH_MAX ? safe : `${safe.slice(0, LENGTH_MAX)}…`;
}
