import assert from "node:assert/strict";
import { SCHEMA_VERSION } from "../db/database.ts";
import { readEvents } from "./event_source.ts";
import { type ErrorBody, type OrderBody, TestShop } from "./shop.ts";

const ADA = { customer: "Ada", email: "ada@example.org" };

Deno.test("api refuses to start before the migrations have run", async () => {
  await using shop = await TestShop.create();
  const { code, lines } = await shop.run("api");
  assert.equal(code, 1);
  assert.match(lines.join("\n"), /run the migrate task first$/);
});

Deno.test("api refuses to start without a port", async () => {
  await using shop = await TestShop.migrated();
  await using program = shop.start("api", { PORT: "http" });
  assert.equal(await program.exited, 1);
});

Deno.test("api tells its health and its products", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  const health = await api.fetch("/health");
  assert.deepEqual(health.body, { ok: true, schema_version: SCHEMA_VERSION });
  const { body } = await api.fetch<{ currency: string; products: unknown[] }>(
    "/api/products",
  );
  assert.equal(body.currency, "EUR");
  assert.equal(body.products.length, 8);
  assert.deepEqual(body.products[1], {
    id: 2,
    sku: "BREAD-RYE",
    name: "Rye bread",
    description: "Sourdough, baked this morning, 750 g",
    picture: "🍞",
    price_cents: 450,
    stock: 25,
  });
});

Deno.test("api places an order, lists it and takes it from the stock", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  const items = [{ product_id: 1, quantity: 2 }, {
    product_id: 3,
    quantity: 1,
  }];
  const placed = await api.order({ ...ADA, items });
  assert.equal(placed.status, 201);
  assert.equal(placed.headers.get("location"), "/api/orders/1");
  assert.equal(placed.body.order.status, "pending");
  assert.equal(placed.body.order.total_cents, 2 * 1290 + 890);
  const read = await api.fetch<OrderBody>("/api/orders/1");
  assert.deepEqual(read.body, placed.body);
  await api.order({ ...ADA, items: [{ product_id: 2, quantity: 1 }] });
  const list = await api.fetch<{ orders: { id: number }[] }>(
    "/api/orders?limit=5",
  );
  assert.deepEqual(list.body.orders.map(({ id }) => id), [2, 1]);
  const { body } = await api.fetch<{ products: { stock: number }[] }>(
    "/api/products",
  );
  assert.deepEqual(
    body.products.slice(0, 3).map(({ stock }) => stock),
    [38, 24, 29],
  );
});

Deno.test("api answers a repeated request with the order of the first", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  const draft = { ...ADA, items: [{ product_id: 8, quantity: 1 }] };
  const key = { "idempotency-key": "one-click" };
  const first = await api.order(draft, key);
  const second = await api.order(draft, key);
  assert.deepEqual([first.status, second.status], [201, 200]);
  assert.deepEqual(second.body, first.body);
});

Deno.test("api sells the last piece once", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  const draft = { ...ADA, items: [{ product_id: 8, quantity: 1 }] };
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => api.order<ErrorBody>(draft)),
  );
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [201, 409, 409, 409, 409]);
  const refused = answers.find(({ status }) => status === 409);
  assert.equal(refused?.body.error.code, "out_of_stock");
});

Deno.test("api records nothing of an order it refuses", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  const items = [{ product_id: 2, quantity: 1 }, {
    product_id: 8,
    quantity: 2,
  }];
  assert.equal((await api.order({ ...ADA, items })).status, 409);
  const { body } = await api.fetch<{ products: { stock: number }[] }>(
    "/api/products",
  );
  assert.equal(body.products[1]?.stock, 25);
  const list = await api.fetch("/api/orders");
  assert.deepEqual(list.body, { orders: [] });
});

Deno.test("api names every fault of a request", async (t) => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();

  const check = (
    name: string,
    path: string,
    { expected, ...init }: RequestInit & { expected: [number, string] },
  ) =>
    t.step(name, async () => {
      const { status, body } = await api.fetch<ErrorBody>(path, init);
      assert.deepEqual([status, body.error.code], expected);
    });

  const json = { "content-type": "application/json" };
  const post = (body: unknown) => ({
    method: "POST",
    headers: json,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const one = [{ product_id: 1, quantity: 1 }];
  const invalid: [number, string] = [422, "invalid_order"];
  const orders = "/api/orders";

  await check("path", "/api/nothing", { expected: [404, "not_found"] });
  await check("order", "/api/orders/7", { expected: [404, "unknown_order"] });
  await check("order id", "/api/orders/x", { expected: [404, "not_found"] });
  await check("limit", "/api/orders?limit=0", { expected: [400, "bad_limit"] });
  await check("method", orders, {
    method: "DELETE",
    expected: [405, "method_not_allowed"],
  });
  await check("content type", orders, {
    method: "POST",
    body: "a=1",
    expected: [415, "not_json"],
  });
  await check("syntax", orders, { ...post("{"), expected: [400, "bad_json"] });
  await check("size", orders, {
    ...post(`"${"x".repeat(70_000)}"`),
    expected: [413, "too_large"],
  });
  await check("key", orders, {
    ...post({ ...ADA, items: one }),
    headers: { ...json, "idempotency-key": "x".repeat(101) },
    expected: [400, "bad_idempotency_key"],
  });
  await check("no object", orders, { ...post("[]"), expected: invalid });
  await check("no items", orders, {
    ...post({ ...ADA, items: [] }),
    expected: invalid,
  });
  await check("half a piece", orders, {
    ...post({ ...ADA, items: [{ product_id: 1, quantity: 0.5 }] }),
    expected: invalid,
  });
  await check("unknown product", orders, {
    ...post({ ...ADA, items: [{ product_id: 99, quantity: 1 }] }),
    expected: [404, "unknown_product"],
  });
});

Deno.test("api reports all wrong fields at once", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  const { body } = await api.order<ErrorBody>({
    customer: " ",
    email: "ada",
    items: [
      { product_id: 1, quantity: 0 },
      { product_id: 1, quantity: 1 },
      { product_id: "2", quantity: 101 },
    ],
  });
  assert.deepEqual(body.error.fields, {
    customer: "must be a name",
    email: "must be an e-mail address",
    "items[0].quantity": "must be 1 to 100",
    "items[1].product_id": "must not be there twice",
    "items[2].product_id": "must be the id of a product",
    "items[2].quantity": "must be 1 to 100",
  });
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`api ends open event streams and its database on ${signal}`, async () => {
    await using shop = await TestShop.migrated();
    await using api = await shop.startApi();
    await api.order({ ...ADA, items: [{ product_id: 1, quantity: 1 }] });
    const events = readEvents(`${api.url}/api/orders/events`, {
      lastEventId: "0",
    });
    const first = await events.next();
    assert.equal(first.value?.data.status, "pending");
    assert.equal(await api.program.stop(signal), 0);
    assert.equal((await events.next()).done, true);
    const files = await Array.fromAsync(Deno.readDir(shop.data));
    // No -wal or -shm: the last connection was closed, not dropped.
    assert.deepEqual(files.map(({ name }) => name), ["shop.db"]);
  });
}

Deno.test("two shops run side by side and know nothing of each other", async () => {
  await using left = await TestShop.migrated();
  await using right = await TestShop.migrated();
  await using leftApi = await left.startApi();
  await using rightApi = await right.startApi();
  await leftApi.order({ ...ADA, items: [{ product_id: 1, quantity: 1 }] });
  const orders = await rightApi.fetch("/api/orders");
  assert.deepEqual(orders.body, { orders: [] });
});
