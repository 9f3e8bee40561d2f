/**
 * Orders in the database: placing and reading them. Moving an order from pending to paid to shipped is the worker's
 * business.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "../db/database.ts";
import { HttpError } from "./http_error.ts";
import type { DraftItem, OrderDraft } from "./order_draft.ts";

/** How far an order has come. */
export type OrderStatus = "pending" | "paid" | "shipped";

/** One line of an order. */
export interface OrderItem {
  readonly product_id: number;
  readonly name: string;
  readonly quantity: number;
  /** Price on the day of the order. */
  readonly unit_price_cents: number;
}

/** An order as clients see it. */
export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly email: string;
  readonly status: OrderStatus;
  readonly total_cents: number;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  /** ISO 8601, UTC. */
  readonly updated_at: string;
  readonly items: readonly OrderItem[];
}

/** An order and whether this call made it. */
export interface Placement {
  readonly order: Order;
  /** False when the request key was used before: the order of then. */
  readonly created: boolean;
}

type OrderRow = Omit<Order, "items">;

const ORDER_COLUMNS =
  "id, customer, email, status, total_cents, created_at, updated_at";

/**
 * Takes the items from the stock and records the order, all or nothing.
 * `requestKey` makes a repeated request harmless.
 *
 * @throws {HttpError} 404 `unknown_product`, 409 `out_of_stock`.
 */
export function placeOrder(
  db: DatabaseSync,
  draft: OrderDraft,
  { requestKey }: { readonly requestKey: string | null },
): Placement {
  return inTransaction(db, () => {
    if (requestKey !== null) {
      const earlier = db.prepare("select id from orders where request_key = ?")
        .get(requestKey);
      if (earlier !== undefined) {
        return { order: readOrder(db, Number(earlier.id)), created: false };
      }
    }
    const prices = draft.items.map((item) => takeFromStock(db, item));
    const total = draft.items.reduce(
      (sum, item, index) => sum + item.quantity * (prices[index] ?? 0),
      0,
    );
    const { lastInsertRowid } = db.prepare(
      "insert into orders (request_key, customer, email, total_cents) values (?, ?, ?, ?)",
    ).run(requestKey, draft.customer, draft.email, total);
    const id = Number(lastInsertRowid);
    const insertItem = db.prepare(
      "insert into order_items (order_id, product_id, quantity, unit_price_cents) values (?, ?, ?, ?)",
    );
    for (const [index, item] of draft.items.entries()) {
      insertItem.run(id, item.product_id, item.quantity, prices[index] ?? 0);
    }
    return { order: readOrder(db, id), created: true };
  });
}

/** Lowers the stock by the item's quantity. Returns the price of one piece. */
function takeFromStock(db: DatabaseSync, item: DraftItem): number {
  const product = db.prepare(
    "select name, price_cents, stock from products where id = ?",
  ).get(item.product_id);
  if (product === undefined) {
    throw new HttpError(404, "unknown_product", {
      message: `There is no product ${item.product_id}`,
    });
  }
  if (Number(product.stock) < item.quantity) {
    throw new HttpError(409, "out_of_stock", {
      message: `Of "${product.name}" only ${product.stock} are left`,
    });
  }
  db.prepare("update products set stock = stock - ? where id = ?")
    .run(item.quantity, item.product_id);
  return Number(product.price_cents);
}

/** @throws {HttpError} 404 `unknown_order`. */
export function readOrder(db: DatabaseSync, id: number): Order {
  const row = db.prepare(`select ${ORDER_COLUMNS} from orders where id = ?`)
    .get(id) as unknown as OrderRow | undefined;
  if (row === undefined) {
    throw new HttpError(404, "unknown_order", {
      message: `There is no order ${id}`,
    });
  }
  return withItems(db, row);
}

/** The newest orders first, at most `limit`. */
export function listOrders(db: DatabaseSync, limit: number): Order[] {
  const rows = db.prepare(
    `select ${ORDER_COLUMNS} from orders order by id desc limit ?`,
  ).all(limit) as unknown as OrderRow[];
  return rows.map((row) => withItems(db, row));
}

function withItems(db: DatabaseSync, row: OrderRow): Order {
  const items = db.prepare(
    `select i.product_id, p.name, i.quantity, i.unit_price_cents
     from order_items i join products p on p.id = i.product_id
     where i.order_id = ? order by i.product_id`,
  ).all(row.id) as unknown as OrderItem[];
  return { ...row, items };
}
