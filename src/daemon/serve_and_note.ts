/**
 * Has the proxy serve.
 *
 * @module
 */

import { noteBinding } from "../store/binding_note.ts";
import type { Services } from "./services.ts";

/** Has the proxy serve, and notes where, for whoever tells addresses while no daemon runs. */
export async function serveAndNote(
  { front, config, store }: Pick<Services, "front" | "config" | "store">,
): Promise<void> {
  await front.ensure();
  if (!front.isEnabled) return;
  const { bound, httpsPort } = front.binding;
  const wanted = config.proxy.httpsPort;
  noteBinding(store.meta, { wanted, port: bound ? httpsPort : null });
}
