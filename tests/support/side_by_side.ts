/**
 * Cases of one test that mostly wait, each in a home of its own.
 *
 * @module
 */

/**
 * Runs all cases at the same time, and waits for every one of them, whatever becomes of the others.
 *
 * @throws {AggregateError} An error for each case that failed, which names it.
 */
export async function sideBySide(
  cases: Readonly<Record<string, () => Promise<void>>>,
): Promise<void> {
  const outcomes = await Promise.allSettled(
    Object.entries(cases).map(async ([name, work]) => {
      try {
        await work();
      } catch (cause) {
        throw new Error(`Cannot show that ${name}`, { cause });
      }
    }),
  );
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason] : []
  );
  if (failures.length > 0) {
    throw new AggregateError(
      failures,
      failures.map(({ message, cause }) => `${message}: ${cause}`).join("\n"),
    );
  }
}
