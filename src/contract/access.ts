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
  const pin = url.searchParams.getAll("session").map((each) => each.trim())
    .find((each) => each !== "");
  return {
    pin: pin ?? null,
    isReadOnly: url.searchParams.has("access"),
  };
}

/** What an address may say. Whatever else it says was meant to grant less than it would. */
const KNOWN = ["session", "access", "caller"];

/** The first word of an address that means nothing; null if there is none. */
export function unknownWord({ searchParams }: URL): string | null {
  return [...searchParams.keys()].find((key) => !KNOWN.includes(key)) ?? null;
}
