/**
 * How long a text is as UTF-8.
 *
 * @module
 */

/** Bytes of the text in UTF-8; half of a surrogate pair counts as its replacement character. Copies nothing. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    bytes++;
    if (unit < 0x800) continue;
    bytes++;
    const isPair = isHighSurrogate(unit) &&
      isLowSurrogate(text.charCodeAt(at + 1));
    // Two units, four bytes.
    if (isPair) at++;
  }
  return bytes;
}

/** Whether a UTF-16 unit is the first half of a pair. */
export function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Whether a UTF-16 unit is the second half of a pair. False for `NaN`, the unit after the end. */
export function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
