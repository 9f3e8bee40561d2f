/**
 * A folder with a store for one test.
 *
 * @module
 */

import type { Clock } from "../../src/kit/clock.ts";
import type { NewEvent } from "../../src/domain/event.ts";
import {
  Store,
  type StoreOptions,
  type StorePaths,
} from "../../src/store/store.ts";

/** A moment in November 2026. */
export const NOW_MS = Date.UTC(2026, 10, 20, 10, 0, 0);

/** A clock that stands still. */
export const stillClock: Clock = {
  now: () => NOW_MS,
  monotonic: () => 0,
  sleep: () =>
    Promise.reject(new Error("Cannot sleep: the clock stands still")),
};

/** The folder. Disposing removes it. */
export class StoreFolder implements Disposable, StorePaths {
  readonly path = Deno.makeTempDirSync({ prefix: "tmx-store-" });
  readonly database = `${this.path}/taskmux.db`;
  readonly eventsMirror = `${this.path}/events.jsonl`;

  /** Opens the store; the caller closes it. */
  open(options: Partial<StoreOptions> = {}): Store {
    return Store.open(this, { clock: stillClock, ...options });
  }

  /** Names of the files, sorted. */
  files(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  /** Lines of the mirror. */
  mirror(): string[] {
    return Deno.readTextFileSync(this.eventsMirror).split("\n").slice(0, -1);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** An event of the task `web` of the project `shop`, with changes. */
export function eventOf(changes: Partial<NewEvent> = {}): NewEvent {
  return {
    event: "task_started",
    session: "shop",
    task: "web",
    at: NOW_MS,
    ...changes,
  };
}
