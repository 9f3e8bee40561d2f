/**
 * Telling that a task has printed: one look at each log, however many connections watch it.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import { ask, type Asking, follow } from "../transports/ask.ts";
import type { Watcher } from "./catalogue.ts";
import { logsUri } from "./resource_uri.ts";
import { ErrorCode, McpError } from "./sdk.ts";

/** Logs that are watched at once, for all connections. */
export const MAX_WATCHED_LOGS = 256;

/** After a task has printed, its log is left alone for so long: a flood costs no more than a trickle. */
const PAUSE_MS = 500;

/** Pause before a log is looked for again that is not there. */
const RETRY_MS = 2_000;

/** A task. */
export interface LogName {
  readonly session: string;
  readonly task: string;
}

interface Watch {
  readonly watchers: Set<Watcher>;
  readonly ending: AbortController;
  /** Resolves to false if there is no such log; after that everything is told that is printed. */
  ready: Promise<boolean>;
}

/** See the module. */
export class LogWatches {
  readonly #watches = new Map<string, Watch>();

  /**
   * Tells a watcher whenever the task has printed, until its signal aborts.
   *
   * @returns False if there is no such task.
   * @throws {McpError} If too many logs are watched.
   */
  async add(
    name: LogName,
    watcher: Watcher,
    asking: Omit<Asking, "signal">,
  ): Promise<boolean> {
    const key = logsUri(name.session, name.task);
    const watch = this.#watches.get(key) ?? this.#begin(key, name, asking);
    watch.watchers.add(watcher);
    const leave = (): void => {
      watch.watchers.delete(watcher);
      if (watch.watchers.size > 0) return;
      watch.ending.abort();
      if (this.#watches.get(key) === watch) this.#watches.delete(key);
    };
    watcher.signal.addEventListener("abort", leave, { once: true });
    if (watcher.signal.aborted) leave();
    const isThere = await watch.ready;
    if (!isThere) leave();
    return isThere;
  }

  #begin(
    key: string,
    name: LogName,
    { dispatcher, lifetime }: Omit<Asking, "signal">,
  ): Watch {
    if (this.#watches.size >= MAX_WATCHED_LOGS) {
      throw new McpError(
        ErrorCode.InvalidRequest,
        `Cannot watch more than ${MAX_WATCHED_LOGS} logs`,
      );
    }
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, lifetime]);
    const ready = Promise.withResolvers<boolean>();
    const watch = {
      watchers: new Set<Watcher>(),
      ending,
      ready: ready.promise,
    };
    this.#watches.set(key, watch);
    const printed = (): void => {
      for (const { onChange } of watch.watchers) onChange();
    };
    const asking = { dispatcher, lifetime, signal };
    followLog(name, { asking, printed, ready: ready.resolve }).catch(
      (error) => {
        ready.reject(error);
      },
    );
    return watch;
  }
}

interface Following {
  readonly asking: Asking;
  printed(): void;
  ready(isThere: boolean): void;
}

async function followLog(
  { session, task }: LogName,
  { asking, printed, ready }: Following,
): Promise<void> {
  const { signal } = asking;
  const params = { scope: { session }, tasks: [task], lines: 1 };
  let last: string | null = null;
  let isKnown = false;
  while (!signal.aborted) {
    let pause = RETRY_MS;
    try {
      if (!isKnown) {
        const { lines } = await ask(asking, "log.read", params);
        // The first line of an empty log is news, the last line of another is not.
        isKnown = lines.length === 0;
        if (isKnown) ready(true);
      }
      // Begins with the line that is the last, so what was printed in a pause is seen.
      for await (const item of follow(asking, "log.follow", params)) {
        // Nobody asked for cursors.
        if (!("text" in item)) continue;
        const line = `${item.ts} ${item.text}`;
        const isNews = isKnown && line !== last;
        last = line;
        isKnown = true;
        ready(true);
        if (!isNews) continue;
        printed();
        pause = PAUSE_MS;
        break;
      }
    } catch (error) {
      if (!(error instanceof TaskmuxError)) {
        if (signal.aborted) return;
        throw error;
      }
      ready(false);
    }
    try {
      await systemClock.sleep(pause, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
