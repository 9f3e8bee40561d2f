/**
 * The shop's API as typed functions. Shapes are those of `api/`, restated: the page is a client like any other.
 *
 * @module
 */

export interface Product {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly picture: string;
  readonly price_cents: number;
  readonly stock: number;
}

export interface Catalogue {
  readonly currency: string;
  readonly products: readonly Product[];
}

export type OrderStatus = "pending" | "paid" | "shipped";

export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly status: OrderStatus;
  readonly total_cents: number;
  readonly created_at: string;
  readonly items: readonly {
    readonly product_id: number;
    readonly name: string;
    readonly quantity: number;
  }[];
}

export interface OrderDraft {
  readonly customer: string;
  readonly email: string;
  readonly items: readonly {
    readonly product_id: number;
    readonly quantity: number;
  }[];
}

/** A refusal of the API, or its absence (`code` is then `unreachable`). */
export class ApiError extends Error {
  readonly code: string;
  /** Problems by field name. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(
    code: string,
    message: string,
    fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.fields = fields;
  }
}

/** Everything on sale. */
export function fetchCatalogue(): Promise<Catalogue> {
  return request("/api/products");
}

/** The newest orders first. */
export async function fetchOrders(): Promise<readonly Order[]> {
  return (await request<{ orders: Order[] }>("/api/orders?limit=10")).orders;
}

/** Places an order. The same `key` again gives the same order. */
export async function placeOrder(
  draft: OrderDraft,
  { key }: { key: string },
): Promise<Order> {
  const { order } = await request<{ order: Order }>("/api/orders", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(draft),
  });
  return order;
}

async function request<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ApiError("unreachable", "The shop does not answer");
  }
  const isJson = response.headers.get("content-type")?.startsWith(
    "application/json",
  );
  if (!isJson) {
    throw new ApiError("unreachable", `The shop is away (${response.status})`);
  }
  const body = await response.json();
  if (!response.ok) {
    const { code, message, fields } = body.error;
    throw new ApiError(code, message, fields);
  }
  return body;
}
