/**
 * Merging lists that are each in the order of their log.
 *
 * @module
 */

/**
 * Merges two lists by time and keeps the order within each, even where a clock was set back. At equal times `first`
 * comes first. O(n).
 */
export function mergeByTime<T>(
  first: readonly T[],
  second: readonly T[],
  timeOf: (item: T) => string,
): T[] {
  const merged: T[] = [];
  let a = 0;
  let b = 0;
  while (a < first.length && b < second.length) {
    const [left, right] = [first[a]!, second[b]!];
    if (timeOf(left) <= timeOf(right)) {
      merged.push(left);
      a++;
    } else {
      merged.push(right);
      b++;
    }
  }
  for (; a < first.length; a++) merged.push(first[a]!);
  for (; b < second.length; b++) merged.push(second[b]!);
  return merged;
}
