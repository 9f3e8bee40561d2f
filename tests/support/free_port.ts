/**
 * TCP ports for tests that must name one before anybody listens. Where possible listen on port 0 instead.
 *
 * @module
 */

/**
 * A port of 127.0.0.1 that nobody held a moment ago. Somebody may take it before it is used: the kernel hands out
 * others first, so this is rare, not impossible.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
