/**
 * Which header fields go on to the next hop, in both directions (RFC 9110 §7.6.1). Pure.
 *
 * Fields are lists of names and values in turns, as `rawHeaders` of `node:http`: order, case and repetitions stay.
 *
 * @module
 */

/** Names and values in turns. */
export type RawHeaders = readonly string[];

/** Fields of one hop only. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** What `Connection` cannot take away: without these a message means something else. */
const PROTECTED: ReadonlySet<string> = new Set(["content-length", "host"]);

const NONE: readonly string[] = [];

/** A field. */
export type Field = readonly [name: string, value: string];

/** One field after the other. */
export function* fieldsOf(raw: RawHeaders): Generator<Field> {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    yield [raw[index]!, raw[index + 1]!];
  }
}

/** The values of a field, in order. @param name In lower case. */
export function valuesOf(raw: RawHeaders, name: string): readonly string[] {
  // Asked a dozen times per request, mostly for what is not there.
  let values: string[] | null = null;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (!isNamed(raw[index]!, name)) continue;
    if (values === null) values = [raw[index + 1]!];
    else values.push(raw[index + 1]!);
  }
  return values ?? NONE;
}

/** Whether there is such a field. @param name In lower case. */
export function hasField(raw: RawHeaders, name: string): boolean {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (isNamed(raw[index]!, name)) return true;
  }
  return false;
}

function isNamed(written: string, name: string): boolean {
  return written.length === name.length && written.toLowerCase() === name;
}

/**
 * The fields that go on: without those of this hop, those that `Connection` names, and pseudo-header fields of HTTP/2.
 *
 * @param dropped More names to leave out, in lower case.
 */
export function endToEndHeaders(
  raw: RawHeaders,
  dropped?: ReadonlySet<string>,
): string[] {
  const named = connectionOptions(raw);
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!;
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || dropped?.has(key) || key.startsWith(":")) {
      continue;
    }
    if (named?.has(key) && !PROTECTED.has(key)) continue;
    kept.push(name, raw[index + 1]!);
  }
  return kept;
}

/** Whether the sender of these fields takes trailers (RFC 9110 §10.1.4). */
export function takesTrailers(raw: RawHeaders): boolean {
  return valuesOf(raw, "te").some((value) =>
    value.split(",").some((coding) =>
      coding.split(";")[0]!.trim().toLowerCase() === "trailers"
    )
  );
}

/** Whether a value has characters that are one byte on the wire and two in UTF-8. */
export function hasHighBytes(raw: RawHeaders): boolean {
  // deno-lint-ignore no-control-regex
  return /[^\x00-\x7f]/.test(raw.join(""));
}

/** What `Connection` names besides `keep-alive`, which is no field that goes on anyway. */
function connectionOptions(raw: RawHeaders): ReadonlySet<string> | null {
  const values = valuesOf(raw, "connection");
  if (values.every((value) => isNamed(value, "keep-alive"))) return null;
  return new Set(
    values.flatMap((value) =>
      value.split(",").map((option) => option.trim().toLowerCase())
    ),
  );
}
