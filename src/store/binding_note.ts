/**
 * Where the proxy listened last, for whoever tells addresses while no daemon runs.
 *
 * @module
 */

import type { HostConfig } from "../config/host_config.ts";
import type { ProxyBinding } from "../domain/task_url.ts";
import type { MetaTable } from "./meta_table.ts";

const KEY = "proxy_binding";

/** What is noted of it. */
export interface BindingNote {
  /** The port of the settings; with another one the note says nothing. */
  readonly wanted: number;
  /** The port it got; null = none. */
  readonly port: number | null;
}

/** Writes it down. Costs a write only if it is news. */
export function noteBinding(meta: MetaTable, note: BindingNote): void {
  const { wanted, port } = note;
  const text = JSON.stringify({ wanted, port });
  if (meta.get(KEY) !== text) meta.set(KEY, text);
}

/**
 * The proxy as it will probably be once it serves.
 *
 * @param meta Null = nothing was ever noted.
 */
export function expectedBinding(
  { proxy, dns }: Pick<HostConfig, "proxy" | "dns">,
  meta: MetaTable | null,
): ProxyBinding {
  const note = meta === null ? null : recall(meta, proxy.httpsPort);
  const port = note === null ? proxy.httpsPort : note.port;
  return {
    // Any free port: nobody knows which before it is bound.
    bound: proxy.enabled && port !== null && port !== 0,
    httpsPort: port ?? proxy.httpsPort,
    tld: dns.managedTld,
  };
}

/** The last note, if the settings still want the same; else null. */
function recall(meta: MetaTable, wanted: number): BindingNote | null {
  const text = meta.get(KEY);
  if (text === null) return null;
  const note = JSON.parse(text) as BindingNote;
  return note.wanted === wanted ? note : null;
}
