/**
 * Whether two lines say the same but for numbers: counters, times, durations, spinners and progress bars.
 *
 * By two pointers, not by comparing normalised copies: nearly all neighbours differ in one of the first letters, and
 * then this is over.
 *
 * @module
 */

/** Characters that spinners show one after the other. */
const SPINNERS = new Set("⠁⠂⠄⡀⢀⠠⠐⠈◐◓◑◒◴◷◶◵◜◠◝◞◡◟▖▘▝▗←↖↑↗→↘↓↙|/-\\");

const FIRST_BRAILLE = 0x2800;
const LAST_BRAILLE = 0x28ff;

/** What progress bars are drawn with. A run of them, spaces included, is as good as a longer one. */
const BARS = new Set("=#>█▓▒░▏▎▍▌▋▊▉━╸╺■□▰▱");

const UNIT_REGEXP = /(?:ns|[µμ]s|us|ms|s|m|h)(?![\p{L}\d])/yu;

/** Whether two texts are the same or differ only in such things. Linear in the part they share. */
export function isSimilar(one: string, other: string): boolean {
  if (one === other) return true;
  let a = 0;
  let b = 0;
  while (a < one.length && b < other.length) {
    const left = one[a]!;
    const right = other[b]!;
    if (isDigit(left) && isDigit(right)) {
      a = numberEnd(one, a);
      b = numberEnd(other, b);
    } else if (BARS.has(left) || BARS.has(right)) {
      if (!isBarOrSpace(left) || !isBarOrSpace(right)) return false;
      a = barEnd(one, a);
      b = barEnd(other, b);
    } else if (left === right || (isSpinner(left) && isSpinner(right))) {
      a++;
      b++;
    } else if (left === " " || right === " ") {
      // Numbers are often padded to a width.
      const isPadding = left === " " ? isDigit(right) : isDigit(left);
      if (!isPadding) return false;
      if (left === " ") a++;
      else b++;
    } else return false;
  }
  return barEnd(one, a) === one.length && barEnd(other, b) === other.length;
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

function isSpinner(character: string): boolean {
  const unit = character.charCodeAt(0);
  return (unit >= FIRST_BRAILLE && unit <= LAST_BRAILLE) ||
    SPINNERS.has(character);
}

function isBarOrSpace(character: string): boolean {
  return character === " " || BARS.has(character);
}

/** After a number such as `7`, `1.5`, `12:30:01` or `1,024`, and the unit of a duration behind it. */
function numberEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const isInside = isDigit(text[at]!) ||
      (".,:".includes(text[at]!) && isDigit(text[at + 1] ?? ""));
    if (!isInside) break;
    at++;
  }
  UNIT_REGEXP.lastIndex = at;
  return UNIT_REGEXP.test(text) ? UNIT_REGEXP.lastIndex : at;
}

function barEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBarOrSpace(text[at]!)) at++;
  return at;
}
