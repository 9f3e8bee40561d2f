/**
 * Answers about names for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { Paint } from "./paint.ts";

/** Names that are listed. */
const NAMES_MAX = 20;

/** Of those the daemon has looked up no more; another one beside them would look as if it resolved. */
const LOOKED_UP_MAX = 8;

/** The lines of `dns status`. */
export function dnsLines(
  status: Result<"dns.status">,
  paint: Paint,
): string[] {
  const { resolver, configured, tld, port, resolves, names } = status;
  const chosen = configured === resolver
    ? ""
    : ` (host_resolver ${configured})`;
  const verdict = resolves === null
    ? paint(
      "dim",
      names.length === 0
        ? "there are none yet"
        : "it cannot be told whether they resolve",
    )
    : resolves
    ? paint("green", "they resolve")
    : paint("red", "they do not resolve");
  const listed = resolves === false ? LOOKED_UP_MAX : NAMES_MAX;
  return [
    `Names: below .${tld}, ${verdict}`,
    `Resolver: ${resolver}${chosen}, ${status.detail}`,
    ...port === null ? [] : [`DNS server: 127.0.0.1:${port}`],
    ...names.slice(0, listed).map((name) =>
      status.unresolved.includes(name)
        ? `  ${name}  ${paint("red", "does not resolve")}`
        : `  ${name}`
    ),
    ...names.length > listed ? [`  and ${names.length - listed} more`] : [],
    ...status.skipped.map((name) =>
      paint("yellow", `A hosts file cannot have "${name}"`)
    ),
    // RFC 6761, section 6.3; without this a red line beside a browser that works looks like a mistake.
    ...resolves === false && tld === "localhost"
      ? ["Browsers and curl find them all the same; other programs do not"]
      : [],
    ...status.problems.map((problem) => paint("yellow", problem)),
    ...status.hint === null ? [] : [`${paint("dim", "next:")} ${status.hint}`],
  ];
}

/** What is still to be typed. */
export function nextLines(next: readonly string[]): string[] {
  return next.length === 0 ? [] : ["Next:", ...next.map((line) => `  ${line}`)];
}
