/**
 * Tells when orders change, for as long as the page is open, over any number of API restarts.
 *
 * @module
 */

const RECONNECT_MS = 1_000;

/** Whether changes are being heard of right now. */
export type Connection = "live" | "connecting";

/**
 * Calls `onChange` after each connect and each change, `onConnection` when the
 * connection comes or goes. Returns the function that ends it.
 */
export function watchOrders(
  { onChange, onConnection }: {
    onChange: () => void;
    onConnection: (state: Connection) => void;
  },
): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const connect = () => {
    source = new EventSource("/api/orders/events");
    source.onopen = () => {
      onConnection("live");
      onChange();
    };
    source.addEventListener("order", onChange);
    source.onerror = () => {
      onConnection("connecting");
      // The browser tries again by itself, but not after an error status,
      // which is what the dev server answers while the API is away.
      if (source.readyState === EventSource.CLOSED) {
        timer = setTimeout(connect, RECONNECT_MS);
      }
    };
  };
  connect();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
