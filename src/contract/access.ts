/**
 * What the address of a connection grants, over MCP and WebSocket alike.
 *
 * @module
 */

import { isProjectId } from "../domain/worktree_id.ts";

/** What the address of a connection grants. Fixed when it begins. */
export interface Access {
  /** The one project that it is about; null = any. */
  readonly pin: string | null;
  readonly isReadOnly: boolean;
}

/** What an address may say. A slip in one of them must not grant more than was meant. */
const WORDS: ReadonlySet<string> = new Set(["session", "access", "caller"]);

/** What `?session=` and `&access=read` of an address grant in which nothing is wrong, see {@linkcode addressProblem}. */
export function accessOf({ searchParams }: URL): Access {
  const [pin = null] = distinct(searchParams.getAll("session"));
  const grants = distinct(searchParams.getAll("access"));
  const isReadOnly = grants.some((each) => each !== "full");
  return { pin, isReadOnly };
}

/** What is wrong with an address at which a session is to begin; null = nothing. Fails closed: no guess grants more. */
export function addressProblem({ searchParams }: URL): string | null {
  const word = [...searchParams.keys()].find((each) => !WORDS.has(each));
  if (word !== undefined) {
    return `Cannot connect with ${quoted(word)}: an address takes ` +
      `${[...WORDS].join(", ")}`;
  }
  const pins = distinct(searchParams.getAll("session"));
  if (pins.length > 1) {
    return `Cannot connect to ${pins.map(quoted).join(" and ")}: ` +
      "a connection is about one session";
  }
  const [pin] = pins;
  if (pin !== undefined && !isProjectId(pin)) {
    return `Cannot connect to session ${quoted(pin)}: a session's name has ` +
      'lower-case letters, digits and "-", at most 63';
  }
  const grants = distinct(searchParams.getAll("access"));
  const unknown = grants.find((each) => each !== "read" && each !== "full");
  if (unknown !== undefined || grants.length > 1) {
    return `Cannot connect with access ${grants.map(quoted).join(" and ")}: ` +
      'it is either "read" or "full"';
  }
  return null;
}

/** Why a request cannot belong to a session that has this access; null if it can. What it does not name it does not change. */
export function conflictWith(
  { pin, isReadOnly }: Access,
  { searchParams }: URL,
): string | null {
  const otherPin = distinct(searchParams.getAll("session"))
    .find((each) => each !== pin);
  if (otherPin !== undefined) {
    const own = pin === null ? "no session" : `session ${quoted(pin)}`;
    return `Cannot ask about session ${quoted(otherPin)}: this connection ` +
      `began with ${own}; initialize another`;
  }
  const access = isReadOnly ? "read" : "full";
  const other = distinct(searchParams.getAll("access"))
    .find((each) => each !== access);
  if (other === undefined) return null;
  return `Cannot ask with access ${
    quoted(other)
  }: this connection began with ` +
    `access ${quoted(access)}; initialize another`;
}

function distinct(values: readonly string[]): readonly string[] {
  const named = values.map((each) => each.trim()).filter((each) => each !== "");
  return [...new Set(named)];
}

/** Short enough for a message, and without anything that a terminal would act on. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
