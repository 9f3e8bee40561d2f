/**
 * Many tasks in one answer, of which a model is told those that matter.
 *
 * @module
 */

/** Most tasks that one answer tells by name; about 10 tokens each. */
export const MAX_TASKS = 60;

/** Tasks as an answer tells them. */
export interface TaskList {
  readonly shown: readonly (readonly [name: string, words: string])[];
  /** Those left out by their first word, such as `40 healthy`; null = none are. */
  readonly omitted: string | null;
}

/**
 * At most {@linkcode MAX_TASKS} of the tasks in their order. Of more, those with the most to say are shown: a task that is
 * well has two words, one that is not has its reason.
 */
export function taskList(
  all: readonly (readonly [name: string, words: string])[],
): TaskList {
  if (all.length <= MAX_TASKS) return { shown: all, omitted: null };
  const telling = new Set(
    all.toSorted(([, one], [, other]) => weight(other) - weight(one))
      .slice(0, MAX_TASKS),
  );
  const left = all.filter((task) => !telling.has(task));
  const counts = Map.groupBy(left, ([, words]) => /^\w+/.exec(words)?.[0]);
  return {
    shown: all.filter((task) => telling.has(task)),
    omitted: [...counts].map(([word, tasks]) => `${tasks.length} ${word}`)
      .join(", "),
  };
}

/** Of words with a reason more than of words without. */
function weight(words: string): number {
  return words.includes(": ") || words.includes("(") ? 1 : 0;
}
