/**
 * Handlers whose modules are loaded with the first question to one of them.
 *
 * @module
 */

import type { CallName } from "../../contract/mod.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";

/** A handler without what its operation says of it. */
type AnyHandler = (params: unknown, context: CallContext) => unknown;

/**
 * Handlers of these operations, all of them in what is loaded. That is asked for each time: modules are loaded once.
 */
export function deferredHandlers<N extends CallName>(
  names: readonly N[],
  load: () => Promise<Pick<Handlers, N>>,
): Pick<Handlers, N> {
  const handlers = names.map((name) => [
    name,
    async (params: unknown, context: CallContext): Promise<unknown> => {
      const handler = (await load())[name] as AnyHandler;
      return await handler(params, context);
    },
  ]);
  return Object.fromEntries(handlers) as Pick<Handlers, N>;
}
