/**
 * The order of measurements: A-B-C-C-B-A, so that what drifts during a run (heat, caches, other work on the machine)
 * burdens all sides alike.
 *
 * @module
 */

/** Each side twice a round, forwards and then backwards. */
export async function interleave<T>(
  sides: readonly T[],
  rounds: number,
  measure: (side: T) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) await measure(side);
    for (const side of sides.toReversed()) await measure(side);
  }
}
