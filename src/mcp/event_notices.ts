/**
 * Events as notices for the logs of clients.
 *
 * @module
 */

import { isSelected } from "../domain/event_selection.ts";
import type { Json } from "../kit/json.ts";
import type { Catalogue, Notice } from "./catalogue.ts";
import type { EventFeed, FeedItem } from "./event_feed.ts";
import { LOGGER } from "./gap_notice.ts";
import { levelOf } from "./event_levels.ts";
import { shownJson } from "./shown_text.ts";

/**
 * Tells what the feed tells: to a pinned connection what concerns its project.
 *
 * @param filter Types of events; empty = all. A gap is always told.
 */
export function eventNotices(
  feed: EventFeed,
  filter: readonly string[],
): NonNullable<Catalogue["notices"]> {
  // Made once for all who listen.
  const notices = new WeakMap<FeedItem, Notice>();
  const noticeOf = (item: FeedItem): Notice => {
    const known = notices.get(item);
    if (known !== undefined) return known;
    const level = "gap" in item ? "warning" : levelOf(item);
    // A record is JSON.
    const data = shownJson(item as Json);
    const notice = Object.freeze({ level, logger: LOGGER, data });
    notices.set(item, notice);
    return notice;
  };
  return ({ access: { pin } }, { signal, onNotice }) => {
    const selection = {
      types: filter,
      ...pin === null ? {} : { session: pin },
    };
    feed.listen({
      signal,
      onItem: (item) => {
        if ("gap" in item || isSelected(item, selection)) {
          onNotice(noticeOf(item));
        }
      },
    });
  };
}
