/**
 * What the address of a connection grants, over MCP and WebSocket alike.
 *
 * @module
 */

/** What the address of a connection grants. Fixed when it begins. */
export interface Access {
  /** The one project that it is about; null = any. */
  readonly pin: string | null;
  readonly isReadOnly: boolean;
}

/** What `?session=` and `&access=read` of an address grant. A word other than `read` grants no more than that: it is a slip. */
export function accessOf(url: URL): Access {
  const pin = url.searchParams.get("session")?.trim() ?? "";
  return {
    pin: pin === "" ? null : pin,
    isReadOnly: url.searchParams.has("access"),
  };
}
