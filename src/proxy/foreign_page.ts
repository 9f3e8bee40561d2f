/**
 * Whether a request comes from a page that has nothing to do with our names, by what browsers say of it (Fetch Metadata).
 * Pure.
 *
 * @module
 */

import { parseHostName } from "../domain/host_name.ts";
import { type RawHeaders, valuesOf } from "./end_to_end_headers.ts";

/**
 * True for images, frames, scripts, fetches and WebSockets of a page elsewhere. A link that is followed is its user's
 * wish, names of ours may ask each other, and programs that are no browsers say nothing of the kind.
 */
export function isOfForeignPage(headers: RawHeaders, tld: string): boolean {
  if (valuesOf(headers, "sec-fetch-site")[0] !== "cross-site") return false;
  const isLink = valuesOf(headers, "sec-fetch-mode")[0] === "navigate" &&
    valuesOf(headers, "sec-fetch-dest")[0] === "document";
  const [origin = ""] = valuesOf(headers, "origin");
  const host = URL.parse(origin)?.hostname ?? "";
  return !isLink && parseHostName(host, tld) === null;
}
