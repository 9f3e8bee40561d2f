/**
 * Numbers for people.
 *
 * @module
 */

/** A whole number with spaces between thousands. */
export function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, " ");
}
