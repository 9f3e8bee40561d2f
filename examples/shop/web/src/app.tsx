/**
 * The page: catalogue, cart and orders, and the state they share.
 *
 * @module
 */
import { useCallback, useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { type Cart, changeQuantity, loadCart, saveCart } from "./cart.ts";
import { CartPanel } from "./cart_panel.tsx";
import { type Connection, watchOrders } from "./order_events.ts";
import { OrdersPanel } from "./orders_panel.tsx";
import { ProductCard } from "./product_card.tsx";
import {
  ApiError,
  type Catalogue,
  fetchCatalogue,
  fetchOrders,
  type Order,
  type Product,
} from "./shop_api.ts";

const SHOP_NAME: string = import.meta.env["VITE_SHOP_NAME"] ?? "Shop";
const NO_CATALOGUE: Catalogue = { currency: "EUR", products: [] };

export function App(): JSX.Element {
  const [{ currency, products }, setCatalogue] = useState(NO_CATALOGUE);
  const [orders, setOrders] = useState<readonly Order[]>([]);
  const [connection, setConnection] = useState<Connection>("connecting");
  const [problem, setProblem] = useState<string | null>(null);
  const [cart, setCart] = useState<Cart>(loadCart);

  const refresh = useCallback(async () => {
    try {
      const [catalogue, newest] = await Promise.all([
        fetchCatalogue(),
        fetchOrders(),
      ]);
      setCatalogue(catalogue);
      setOrders(newest);
      setProblem(null);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.message);
    }
  }, []);

  useEffect(
    () => watchOrders({ onChange: refresh, onConnection: setConnection }),
    [refresh],
  );
  useEffect(() => saveCart(cart), [cart]);

  const change = (product: Product, by: number) =>
    setCart((cart) => changeQuantity(cart, { product, change: by }));

  return (
    <>
      <header class="top">
        <h1>{SHOP_NAME}</h1>
        <span class={`connection ${connection}`}>{connection}</span>
      </header>
      {problem !== null && <p class="problem" role="alert">{problem}</p>}
      <main>
        <section class="products" aria-label="Products">
          {products.map((product) => (
            <ProductCard
              key={product.id}
              product={product}
              currency={currency}
              inCart={cart[product.id] ?? 0}
              onAdd={() => change(product, 1)}
            />
          ))}
        </section>
        <aside>
          <CartPanel
            cart={cart}
            products={products}
            currency={currency}
            onChange={change}
            onOrdered={() => setCart({})}
          />
          <OrdersPanel orders={orders} currency={currency} />
        </aside>
      </main>
    </>
  );
}
