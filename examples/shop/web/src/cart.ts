/**
 * The cart: how many of which product. Plain data and pure functions, plus the copy that survives a reload.
 *
 * @module
 */
import type { Product } from "./shop_api.ts";

/** Quantity by product id. No entry is 0. */
export type Cart = Readonly<Record<number, number>>;

/** One line of the cart with its product. */
export interface CartLine {
  readonly product: Product;
  readonly quantity: number;
}

const STORAGE_KEY = "shop.cart";

/** The cart with `change` more (or fewer) of a product, kept within 0 and its stock. */
export function changeQuantity(
  cart: Cart,
  { product, change }: { product: Product; change: number },
): Cart {
  const wanted = (cart[product.id] ?? 0) + change;
  const quantity = Math.max(0, Math.min(wanted, product.stock));
  const { [product.id]: _, ...others } = cart;
  return quantity === 0 ? others : { ...others, [product.id]: quantity };
}

/** The lines in the order of the catalogue. Products no longer sold are left out. */
export function cartLines(
  cart: Cart,
  products: readonly Product[],
): CartLine[] {
  return products.flatMap((product) => {
    const quantity = cart[product.id];
    return quantity ? [{ product, quantity }] : [];
  });
}

/** What the lines cost, in cents. */
export function cartTotal(lines: readonly CartLine[]): number {
  return lines.reduce(
    (sum, { product, quantity }) => sum + product.price_cents * quantity,
    0,
  );
}

/** The cart of the last visit; an empty one if there is none that can be read. */
export function loadCart(): Cart {
  const cart: Record<number, number> = {};
  try {
    const stored = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
    for (const [id, quantity] of Object.entries(stored)) {
      if (Number.isInteger(quantity)) cart[Number(id)] = Number(quantity);
    }
  } catch {
    // Storage is off, or somebody else's data is in it: then there is no cart.
  }
  return cart;
}

/** Keeps the cart for the next visit, where storage is allowed. */
export function saveCart(cart: Cart): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(cart));
  } catch {
    // Storage is off or full; the cart lives until the page is closed.
  }
}
