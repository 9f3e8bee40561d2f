/**
 * Whether a TCP port can be listened on.
 *
 * @module
 */

/**
 * Every address a server may choose. Not all conflict with each other, and which do depends on the system: a port is
 * free only if it is on all of them. A process that may only listen on this machine's own addresses checks those; on
 * Linux they conflict with a server on the general ones.
 */
const ADDRESSES = ["127.0.0.1", "::1", "0.0.0.0", "::"] as const;

/**
 * Whether a server could listen on the port now, on whichever address. Finds out by listening for a moment, with the
 * socket options that servers use: connections that linger after an earlier server are no obstacle. A port that this
 * user may not listen on at all counts as free; whoever tries will be told better.
 */
export function isPortFree(port: number): boolean {
  return ADDRESSES.every((hostname) => canListen(hostname, port));
}

function canListen(hostname: string, port: number): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    if (error instanceof Deno.errors.PermissionDenied) return true;
    if (error instanceof Deno.errors.NotCapable) return true;
    if (isMissingFamily(error)) return true;
    throw error;
  }
}

/** A machine without IPv6 has no such addresses. */
function isMissingFamily(error: unknown): boolean {
  if (error instanceof Deno.errors.AddrNotAvailable) return true;
  return error instanceof Error && "code" in error &&
    error.code === "EAFNOSUPPORT";
}
