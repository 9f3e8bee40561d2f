/**
 * What the daemon's answers say to be new to their caller: taken once the daemon has noted that it is told, and gathered
 * until it is told. Loaded only for those who have a name.
 *
 * @module
 */

import type { ServerFrame } from "../contract/wire.ts";
import type { EventRecord } from "../domain/event.ts";
import { joinRecent, type RecentEvents } from "../domain/recent_events.ts";

/** Whether the daemon, which is gone, has noted that the caller was told of this event. */
export type WasTold = (event: EventRecord) => Promise<boolean>;

/** See the module. */
export class NewsDesk {
  readonly #wasTold: WasTold;
  #gathered: RecentEvents | null = null;

  constructor(wasTold: WasTold) {
    this.#wasTold = wasTold;
  }

  /**
   * Takes what is new out of the last frame of an answer.
   *
   * @param confirm Tells the daemon that it has arrived; null = the daemon is gone.
   * @returns The frame; without its events if another answer will tell them.
   */
  async check(
    frame: ServerFrame,
    confirm: () => Promise<boolean | null>,
  ): Promise<ServerFrame> {
    const news = newsOf(frame);
    if (news === null) return frame;
    const newest = news.recent_events.at(-1);
    const isTold = newest === undefined ||
      (await confirm() ?? await this.#wasTold(newest));
    this.#gathered = joinRecent(
      this.#gathered,
      isTold ? news : { recent_events: [] },
    );
    return isTold ? frame : withoutNews(frame);
  }

  /** What was gathered since the last time; null = no answer said anything. */
  take(): RecentEvents | null {
    const gathered = this.#gathered;
    this.#gathered = null;
    return gathered;
  }

  /** What {@linkcode take} would give. */
  peek(): RecentEvents | null {
    return this.#gathered;
  }
}

/** What an answer says to be new to the caller; null if it does not say. */
function newsOf(frame: ServerFrame): RecentEvents | null {
  const answer = "result" in frame
    ? frame.result as Partial<RecentEvents>
    : "error" in frame
    ? frame.error
    : {};
  const { recent_events, recent_events_omitted: omitted } = answer;
  if (recent_events === undefined) return null;
  return {
    recent_events,
    ...omitted === undefined ? {} : { recent_events_omitted: omitted },
  };
}

/** The answer as if nothing were new. */
function withoutNews(frame: ServerFrame): ServerFrame {
  if ("result" in frame) {
    const { recent_events_omitted: _omitted, ...result } = frame.result;
    return { ...frame, result: { ...result, recent_events: [] } };
  }
  if (!("error" in frame)) return frame;
  const { recent_events_omitted: _omitted, ...error } = frame.error;
  return { ...frame, error: { ...error, recent_events: [] } };
}
