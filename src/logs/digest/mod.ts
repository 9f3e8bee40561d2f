/**
 * The digest of errors: what went wrong in output, each error once.
 *
 * @module
 */

import { fingerprint } from "../../kit/fingerprint.ts";
import { detached } from "../log_line.ts";
import type { ErrorFacts } from "./error_block.ts";
import { identityOf } from "./error_fingerprint.ts";
import type { DigestLine, ErrorDigest, ErrorGroup } from "./error_group.ts";
import { cutLine, sampleOf } from "./error_sample.ts";
import { isOwn, ownFrame, type Places } from "./source_frame.ts";
import { TaskErrors } from "./task_errors.ts";

/** Most groups that are kept; those seen longest ago go first. */
const MAX_GROUPS = 1000;

/** For so long after an error its mere consequences say nothing new. */
const CONSEQUENCE_MS = 60_000;

/** Where the output comes from. */
export interface CollectorOptions {
  /** Absolute path of the project's folder. */
  readonly root: string;
  /** The folder in which a task runs, by task. Default: `root`. */
  readonly folders?: ReadonlyMap<string, string> | undefined;
}

/** A group that still counts. */
interface OpenGroup extends Omit<ErrorGroup, "fingerprint"> {
  readonly identity: string;
}

/** What was last found in a task. */
interface LastError {
  readonly key: string;
  readonly channel: string | undefined;
  readonly isEcho: boolean;
  readonly ts: string;
}

/** Collects the errors of any number of tasks. Holds at most a thousand groups and an unfinished error for each task. */
export class ErrorCollector {
  readonly #options: CollectorOptions;
  readonly #tasks = new Map<string, TaskErrors>();
  readonly #last = new Map<string, LastError>();
  /** Oldest `last` first. */
  readonly #groups = new Map<string, OpenGroup>();
  #omitted = 0;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** The stream of one task; the same one for the same name. */
  task(name: string): TaskErrors {
    const known = this.#tasks.get(name);
    if (known !== undefined) return known;
    const root = this.#options.root.replace(/\/+$/, "");
    const folder = this.#options.folders?.get(name)?.replace(/\/+$/, "");
    const places: Places = { root, folder: folder ?? root };
    const made = new TaskErrors((facts, ts) => {
      this.#add(name, { facts, ts, places });
    });
    this.#tasks.set(name, made);
    return made;
  }

  /** Ends all streams and tells what they held. Call it once. */
  finish(): ErrorDigest {
    for (const errors of this.#tasks.values()) errors.finish();
    const groups = [...this.#groups.values()].map(closed)
      .sort((a, b) => compare(b.last, a.last));
    return { groups, omittedGroups: this.#omitted };
  }

  #add(
    task: string,
    { facts, ts, places }: {
      readonly facts: ErrorFacts;
      readonly ts: string;
      readonly places: Places;
    },
  ): void {
    const own = ownFrame(facts.frames, places);
    const identity = identityOf(facts, own?.frame ?? null);
    const key = `${task}\n${identity}`;
    const last = this.#last.get(task);
    if (facts.isWeak && last !== undefined && isSoonAfter(ts, last.ts)) return;
    const isEcho = facts.channel !== undefined && last !== undefined &&
      !last.isEcho && last.key === key && last.channel !== facts.channel &&
      isSoonAfter(ts, last.ts);
    this.#last.set(task, { key, channel: facts.channel, isEcho, ts });
    if (isEcho) return;
    const known = this.#groups.get(key);
    const sample = sampleOf(
      facts,
      facts.lines.length > 1 ? (frame) => isOwn(frame, places) : () => true,
    );
    // One copy for all, so that nothing keeps the whole chunk of the log alive.
    const copy = detached([cutLine(facts.message), ...sample].join("\n"));
    const [message = "", ...lines] = copy.split("\n");
    this.#groups.delete(key);
    this.#groups.set(key, {
      identity,
      kind: facts.kind,
      task,
      message,
      count: (known?.count ?? 0) + 1,
      first: known?.first ?? detached(ts),
      last: detached(ts),
      frame: own?.frame ?? null,
      sample: lines,
    });
    this.#bound();
  }

  #bound(): void {
    if (this.#groups.size <= MAX_GROUPS) return;
    for (const oldest of this.#groups.keys()) {
      this.#groups.delete(oldest);
      this.#omitted++;
      return;
    }
  }
}

/** Where the output comes from. */
export interface DigestOptions extends CollectorOptions {
  readonly signal?: AbortSignal;
}

/**
 * Finds the errors in output and groups them. One pass, bounded memory; a few seconds for a million lines.
 *
 * @param lines In the order of their log for each task; tasks may interleave.
 * @throws The reason of the signal when it aborts.
 */
export async function digestErrors(
  lines: AsyncIterable<DigestLine> | Iterable<DigestLine>,
  { signal, ...options }: DigestOptions,
): Promise<ErrorDigest> {
  const collector = new ErrorCollector(options);
  if (Symbol.iterator in lines) {
    for (const { task, ts, text } of lines) {
      signal?.throwIfAborted();
      collector.task(task).push(ts, text);
    }
  } else {
    for await (const { task, ts, text } of lines) {
      signal?.throwIfAborted();
      collector.task(task).push(ts, text);
    }
  }
  return collector.finish();
}

function closed({ identity, ...group }: OpenGroup): ErrorGroup {
  return { fingerprint: fingerprint(identity), ...group };
}

function isSoonAfter(later: string, earlier: string): boolean {
  if (later === "" || earlier === "") return true;
  if (later.slice(0, 19) === earlier.slice(0, 19)) return true;
  return msOf(later) - msOf(earlier) < CONSEQUENCE_MS;
}

function msOf(ts: string): number {
  return Date.parse(ts.endsWith("Z") ? ts : `${ts}Z`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
