/**
 * What taskmux offers over MCP.
 *
 * @module
 */

import type { Catalogue } from "./catalogue.ts";
import type { EventFeed } from "./event_feed.ts";
import { eventNotices } from "./event_notices.ts";
import { taskmuxResources } from "./resources.ts";
import { offeredTools } from "./tools/offered_tools.ts";

/** What a host's settings say of it. */
export interface CatalogueOptions {
  /** Names of tools, with or without `taskmux_`; empty = all. Names of none are passed over. */
  readonly tools: readonly string[];
  /** Types of events that are told; empty = all. */
  readonly filter: readonly string[];
  /** What happens. */
  readonly feed: EventFeed;
}

/** See the module. */
export function taskmuxCatalogue(
  { tools, filter, feed }: CatalogueOptions,
): Catalogue {
  return {
    instructions:
      "Runs this machine's dev servers and workers. Ask taskmux_status before " +
      "you start anything, taskmux_wait instead of polling. recent_events, in " +
      'text after "new:", are what happened since your last call.',
    tools: offeredTools(tools),
    resources: taskmuxResources(feed),
    notices: eventNotices(feed, filter),
  };
}
