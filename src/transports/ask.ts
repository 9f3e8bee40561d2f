/**
 * Questions that a transport asks for a connection, but not for its client: nameless, so that what is new to the client
 * stays new. Which operations they are is up to who asks.
 *
 * @module
 */

import type {
  CallName,
  ParamsInput,
  Result,
  StreamName,
} from "../contract/mod.ts";
import type { FrameContext, FrameDispatcher } from "./socket_server.ts";

/** Whom to ask, and for how long. */
export interface Asking {
  readonly dispatcher: FrameDispatcher;
  readonly signal: AbortSignal;
  readonly lifetime: AbortSignal;
}

/** One answer. Errors as the operation. */
export async function ask<N extends CallName>(
  asking: Asking,
  name: N,
  params: ParamsInput<N>,
): Promise<Result<N>> {
  const answer = await asking.dispatcher.call(name, params, nameless(asking));
  return answer as Result<N>;
}

/** Many answers. Errors as the operation. */
export function follow<N extends StreamName>(
  asking: Asking,
  name: N,
  params: ParamsInput<N>,
): AsyncIterable<Result<N>> {
  const items = asking.dispatcher.stream(name, params, nameless(asking));
  return items as AsyncIterable<Result<N>>;
}

function nameless({ signal, lifetime }: Asking): FrameContext {
  return {
    caller: null,
    reveal: false,
    signal,
    lifetime,
    onProgress: () => {},
    onNews: (settle) => void settle(false),
  };
}
