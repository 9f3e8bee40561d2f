import type { JSX } from "preact";
import { formatMoney } from "./money.ts";
import type { Product } from "./shop_api.ts";

/** One product with its button. */
export function ProductCard({ product, currency, inCart, onAdd }: {
  product: Product;
  currency: string;
  inCart: number;
  onAdd: () => void;
}): JSX.Element {
  const left = product.stock - inCart;
  return (
    <article class="card">
      <div class="picture" aria-hidden="true">{product.picture}</div>
      <h2>{product.name}</h2>
      <p class="description">{product.description}</p>
      <p class="price">
        <strong>{formatMoney(product.price_cents, currency)}</strong>
        <small>
          {product.stock === 0 ? "sold out" : `${product.stock} in stock`}
        </small>
      </p>
      <button type="button" disabled={left <= 0} onClick={onAdd}>
        {inCart === 0 ? "Add to cart" : `Add another (${inCart})`}
      </button>
    </article>
  );
}
