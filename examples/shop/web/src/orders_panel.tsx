import type { JSX } from "preact";
import { formatMoney } from "./money.ts";
import type { Order, OrderStatus } from "./shop_api.ts";

const STEPS: readonly OrderStatus[] = ["pending", "paid", "shipped"];

/** The newest orders and how far each has come. */
export function OrdersPanel(
  { orders, currency }: { orders: readonly Order[]; currency: string },
): JSX.Element {
  return (
    <section class="panel" aria-label="Orders" aria-live="polite">
      <h2>Orders</h2>
      {orders.length === 0 && <p class="empty">None so far.</p>}
      <ul class="orders">
        {orders.map((order) => (
          <li key={order.id}>
            <p>
              <strong>#{order.id}</strong> {order.customer}
              <span class="amount">
                {formatMoney(order.total_cents, currency)}
              </span>
            </p>
            <p class="description">
              {order.items
                .map(({ quantity, name }) => `${quantity} × ${name}`)
                .join(", ")}
            </p>
            <Progress status={order.status} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Progress({ status }: { status: OrderStatus }): JSX.Element {
  const reached = STEPS.indexOf(status);
  return (
    <ol class="progress">
      {STEPS.map((step, index) => (
        <li
          key={step}
          class={index <= reached ? "done" : ""}
          aria-current={step === status ? "step" : undefined}
        >
          {step}
        </li>
      ))}
    </ol>
  );
}
