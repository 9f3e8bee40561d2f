/**
 * The shop's HTTP API as one function from request to response. Owns no socket and no process, so that it can be called
 * without either.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { schemaVersion } from "../db/database.ts";
import { listProducts } from "./catalogue.ts";
import { HttpError } from "./http_error.ts";
import { readJsonBody } from "./json_body.ts";
import { parseOrderDraft } from "./order_draft.ts";
import type { OrderFeed } from "./order_feed.ts";
import { listOrders, placeOrder, readOrder } from "./orders.ts";

/** What the API works with. */
export interface Shop {
  readonly db: DatabaseSync;
  readonly feed: OrderFeed;
  /** ISO 4217 code, shown with every price. */
  readonly currency: string;
}

interface Route {
  readonly method: "GET" | "POST";
  readonly pattern: URLPattern;
  readonly handle: (
    shop: Shop,
    request: Request,
    params: Readonly<Record<string, string | undefined>>,
  ) => Response | Promise<Response>;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
const MAX_KEY_LENGTH = 100;

const ROUTES: readonly Route[] = [
  route("GET", "/health", ({ db }) => {
    return Response.json({ ok: true, schema_version: schemaVersion(db) });
  }),
  route("GET", "/api/products", ({ db, currency }) => {
    return Response.json({ currency, products: listProducts(db) });
  }),
  route("GET", "/api/orders", ({ db }, request) => {
    const limit = new URL(request.url).searchParams.get("limit");
    return Response.json({ orders: listOrders(db, parseLimit(limit)) });
  }),
  route("GET", "/api/orders/events", ({ feed }, request) => {
    const last = request.headers.get("last-event-id") ?? "";
    const after = /^\d{1,15}$/.test(last) ? Number(last) : null;
    return new Response(feed.subscribe(after), {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
      },
    });
  }),
  route("GET", "/api/orders/:id(\\d{1,15})", ({ db }, _request, params) => {
    return Response.json({ order: readOrder(db, Number(params["id"])) });
  }),
  route("POST", "/api/orders", async ({ db }, request) => {
    const key = request.headers.get("idempotency-key");
    if (key !== null && (key === "" || key.length > MAX_KEY_LENGTH)) {
      throw new HttpError(400, "bad_idempotency_key", {
        message: `Idempotency-Key must have 1 to ${MAX_KEY_LENGTH} characters`,
      });
    }
    const draft = parseOrderDraft(await readJsonBody(request));
    const { order, created } = placeOrder(db, draft, { requestKey: key });
    return Response.json({ order }, {
      status: created ? 201 : 200,
      headers: { location: `/api/orders/${order.id}` },
    });
  }),
];

/** Answers one request. Never throws: what is not the client's fault is logged and answered with 500. */
export async function handleRequest(
  shop: Shop,
  request: Request,
): Promise<Response> {
  try {
    return await dispatch(shop, request);
  } catch (error) {
    if (error instanceof HttpError) return errorResponse(error);
    console.error(`${request.method} ${request.url} failed:`, error);
    return errorResponse(
      new HttpError(500, "internal", { message: "Something went wrong here" }),
    );
  }
}

function dispatch(shop: Shop, request: Request): Response | Promise<Response> {
  const allowed: string[] = [];
  for (const { method, pattern, handle } of ROUTES) {
    const match = pattern.exec(request.url);
    if (match === null) continue;
    if (method === request.method) {
      return handle(shop, request, match.pathname.groups);
    }
    allowed.push(method);
  }
  const { pathname } = new URL(request.url);
  if (allowed.length === 0) {
    throw new HttpError(404, "not_found", {
      message: `There is nothing at ${pathname}`,
    });
  }
  const response = errorResponse(
    new HttpError(405, "method_not_allowed", {
      message: `${pathname} does not take ${request.method}`,
    }),
  );
  response.headers.set("allow", allowed.join(", "));
  return response;
}

function route(
  method: Route["method"],
  pathname: string,
  handle: Route["handle"],
): Route {
  return { method, pattern: new URLPattern({ pathname }), handle };
}

function parseLimit(text: string | null): number {
  if (text === null) return DEFAULT_LIMIT;
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) {
    throw new HttpError(400, "bad_limit", {
      message: `"limit" must be 1 to ${MAX_LIMIT}`,
    });
  }
  return limit;
}

function errorResponse({ status, code, message, fields }: HttpError): Response {
  const error = fields === null ? { code, message } : { code, message, fields };
  return Response.json({ error }, { status });
}
