import type { JSX, TargetedSubmitEvent } from "preact";
import { useRef, useState } from "preact/hooks";
import { type Cart, type CartLine, cartLines, cartTotal } from "./cart.ts";
import { formatMoney } from "./money.ts";
import { ApiError, placeOrder, type Product } from "./shop_api.ts";

interface CartPanelProps {
  cart: Cart;
  products: readonly Product[];
  currency: string;
  onChange: (product: Product, by: number) => void;
  onOrdered: () => void;
}

/** The cart and the form that turns it into an order. */
export function CartPanel(
  { cart, products, currency, onChange, onOrdered }: CartPanelProps,
): JSX.Element {
  const lines = cartLines(cart, products);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  // Kept until the order is through: pressing twice must not order twice.
  const attempt = useRef({ key: "", body: "" });

  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const draft = {
      customer: String(form.get("customer")),
      email: String(form.get("email")),
      items: lines.map(({ product, quantity }) => ({
        product_id: product.id,
        quantity,
      })),
    };
    const body = JSON.stringify(draft);
    if (attempt.current.body !== body) {
      attempt.current = { key: crypto.randomUUID(), body };
    }
    setBusy(true);
    try {
      await placeOrder(draft, attempt.current);
      attempt.current = { key: "", body: "" };
      setProblem(null);
      onOrdered();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <section class="panel" aria-label="Cart">
      <h2>Cart</h2>
      {lines.length === 0 && <p class="empty">Nothing in it yet.</p>}
      <CartLines lines={lines} currency={currency} onChange={onChange} />
      {lines.length > 0 && (
        <form onSubmit={submit}>
          <input name="customer" placeholder="Name" required />
          <input name="email" type="email" placeholder="E-mail" required />
          {problem !== null && (
            <p class="problem" role="alert">
              {[
                problem.message,
                ...Object.entries(problem.fields).map(
                  ([name, text]) => `${name} ${text}`,
                ),
              ].join(" · ")}
            </p>
          )}
          <button type="submit" class="primary" disabled={busy}>
            Order for {formatMoney(cartTotal(lines), currency)}
          </button>
        </form>
      )}
    </section>
  );
}

function CartLines({ lines, currency, onChange }: {
  lines: readonly CartLine[];
  currency: string;
  onChange: (product: Product, by: number) => void;
}): JSX.Element {
  return (
    <ul class="lines">
      {lines.map(({ product, quantity }) => (
        <li key={product.id}>
          <span>{product.picture} {product.name}</span>
          <span class="stepper">
            <button
              type="button"
              aria-label={`One ${product.name} less`}
              onClick={() => onChange(product, -1)}
            >
              −
            </button>
            {quantity}
            <button
              type="button"
              aria-label={`One ${product.name} more`}
              disabled={quantity >= product.stock}
              onClick={() => onChange(product, 1)}
            >
              +
            </button>
          </span>
          <span class="amount">
            {formatMoney(product.price_cents * quantity, currency)}
          </span>
        </li>
      ))}
    </ul>
  );
}
