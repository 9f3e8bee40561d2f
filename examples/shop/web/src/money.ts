/**
 * Amounts as people read them.
 *
 * @module
 */

/** `1290` and `"EUR"` as `€12.90`. */
export function formatMoney(cents: number, currency: string): string {
  return new Intl.NumberFormat("en", { style: "currency", currency })
    .format(cents / 100);
}
