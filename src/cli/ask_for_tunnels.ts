/** @module */
import type { ParamsInput } from "../contract/mod.ts";
import type { Context } from "./context.ts";
/** stub */
export function askForTunnels(
  _context: Context,
  _params: ParamsInput<"tunnel.enable">,
): Promise<Partial<ParamsInput<"tunnel.enable">> | null> {
  return Promise.resolve(null);
}
