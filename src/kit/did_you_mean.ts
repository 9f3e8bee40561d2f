/**
 * Finds the word that somebody probably meant.
 *
 * Knows nothing of what the words are; phrasing the suggestion is the caller's business.
 *
 * @module
 */

/** Words longer than this are never compared: bounds the cost of one comparison. */
const MAX_WORD_LENGTH = 64;

/**
 * The candidate nearest to a mistyped word, or null if none is near enough.
 *
 * Near means at most one edit per three letters; words of two letters may have one, too. An edit is an insertion, a deletion, a
 * replacement or a swap of neighbours. Case is ignored. Of equally near candidates the first wins. A candidate equal
 * to the word is not a suggestion.
 */
export function closest(
  word: string,
  candidates: Iterable<string>,
): string | null {
  if (word.length > MAX_WORD_LENGTH) return null;
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let limit = wanted.length < 2
    ? 0
    : Math.max(1, Math.floor(wanted.length / 3));
  for (const candidate of candidates) {
    if (candidate === word || candidate.length > MAX_WORD_LENGTH) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), limit);
    if (distance === null) continue;
    best = candidate;
    if (distance === 0) return best;
    limit = distance - 1;
  }
  return best;
}

/** Edits between two words, or null if there are more than `limit`. */
function editDistance(a: string, b: string, limit: number): number | null {
  if (Math.abs(a.length - b.length) > limit) return null;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] &&
        a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      current.push(cost);
    }
    if (Math.min(...current) > limit) return null;
    beforePrevious = previous;
    previous = current;
  }
  const distance = at(previous, b.length);
  return distance <= limit ? distance : null;
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
