/**
 * What taskmux offers over MCP.
 *
 * @module
 */

import type { Catalogue } from "./catalogue.ts";
import { status } from "./tools/status.ts";

/** What a host's settings say of it. */
export interface CatalogueOptions {
  /** Names of tools, with or without `taskmux_`; empty = all. */
  readonly tools: readonly string[];
}

/** See the module. */
export function taskmuxCatalogue(_options: CatalogueOptions): Catalogue {
  return {
    instructions: "Runs this machine's dev servers and workers. Ask " +
      "taskmux_status before you start anything.",
    tools: () => [status],
    resources: {
      list: () => Promise.resolve([]),
      templates: [],
      read: () => Promise.resolve(null),
    },
  };
}
