/**
 * How a client calls itself.
 *
 * @module
 */

import { visibleText } from "../domain/visible_text.ts";
import type { Server } from "./sdk.ts";

/** Most characters of a name. */
const MAX_LENGTH = 128;

/** Name and version, such as `claude-code 2.1.0`, on one line and without what a terminal would act on; null while it has not told them. */
export function clientName(server: Server): string | null {
  const client = server.getClientVersion();
  if (client === undefined) return null;
  const { text } = visibleText(`${client.name} ${client.version}`);
  return text.replace(/\s+/g, " ").trim().slice(0, MAX_LENGTH);
}
