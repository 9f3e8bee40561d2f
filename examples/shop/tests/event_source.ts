/**
 * Reads server-sent events, one after the other.
 *
 * @module
 */

/** One event of the order feed. */
export interface FeedEvent {
  readonly id: string;
  readonly data: {
    readonly seq: number;
    readonly order_id: number;
    readonly status: string;
  };
}

/** Longest wait for the next event. */
const DEADLINE_MS = 20_000;

/**
 * The events of `url`, until the server ends the stream or the loop is left.
 * With `lastEventId` those after that one come first.
 */
export async function* readEvents(
  url: string,
  { lastEventId }: { readonly lastEventId?: string } = {},
): AsyncGenerator<FeedEvent> {
  const response = await fetch(url, {
    headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (response.body === null) throw new Error(`${url} has no body`);
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true }))
      .split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const id = /^id: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (id !== undefined && data !== undefined) {
        yield { id, data: JSON.parse(data) };
      }
    }
  }
}
