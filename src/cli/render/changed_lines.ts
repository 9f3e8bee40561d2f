/**
 * What a change of a text does, line by line: only what changes, because what stands around it may be secret.
 *
 * @module
 */

/** The lines that go (`-`) and those that come (`+`) below the number of the first one; nothing if all stays. */
export function changedLines(before: string, after: string): string[] {
  if (before === after) return [];
  const old = before.split("\n");
  const young = after.split("\n");
  let start = 0;
  while (start < old.length && old[start] === young[start]) start++;
  let end = 0;
  while (
    end < Math.min(old.length, young.length) - start &&
    old.at(-1 - end) === young.at(-1 - end)
  ) end++;
  const lines = (all: readonly string[], sign: string): string[] =>
    all.slice(start, all.length - end)
      .filter((line, index, { length }) => line !== "" || index < length - 1)
      .map((line) => `${sign} ${line.replace(/\r$/, "")}`);
  return [`@@ line ${start + 1}`, ...lines(old, "-"), ...lines(young, "+")];
}
