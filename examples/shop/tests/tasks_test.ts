import assert from "node:assert/strict";
import { readEvents } from "./event_source.ts";
import { SHOP_ROOT, TestShop } from "./shop.ts";

const DRAFT = {
  customer: "Grace",
  email: "grace@example.org",
  items: [{ product_id: 6, quantity: 3 }],
};

Deno.test("migrate makes the database once", async () => {
  await using shop = await TestShop.create();
  const first = await shop.run("migrate");
  const second = await shop.run("migrate");
  assert.deepEqual([first.code, second.code], [0, 0]);
  assert.ok(first.lines.includes("applied 001_catalogue.sql"));
  assert.ok(first.lines.includes("seeded 8 products"));
  assert.ok(second.lines.includes("already there 003_order_events.sql"));
  assert.ok(second.lines.includes("seeded 0 products"));
});

Deno.test("migrate applies each migration once when three run at once", async () => {
  await using shop = await TestShop.create();
  const runs = await Promise.all([1, 2, 3].map(() => shop.run("migrate")));
  assert.deepEqual(runs.map(({ code }) => code), [0, 0, 0]);
  const applied = runs.flatMap(({ lines }) => lines)
    .filter((line) => line.startsWith("applied "));
  assert.equal(applied.length, 3);
});

Deno.test("migrate refuses a migration edited after it was applied", async () => {
  const root = await Deno.makeTempDir({ prefix: "shop-copy-" });
  try {
    await Deno.mkdir(`${root}/db/migrations`, { recursive: true });
    for (const folder of ["db", "db/migrations"]) {
      for await (const entry of Deno.readDir(`${SHOP_ROOT}/${folder}`)) {
        if (!entry.isFile) continue;
        const path = `${folder}/${entry.name}`;
        await Deno.copyFile(`${SHOP_ROOT}/${path}`, `${root}/${path}`);
      }
    }
    await using shop = await TestShop.create(root);
    assert.equal((await shop.run("migrate")).code, 0);
    await Deno.writeTextFile(
      `${root}/db/migrations/002_orders.sql`,
      "-- later\n",
      { append: true },
    );
    const { code, lines } = await shop.run("migrate");
    assert.equal(code, 1);
    assert.match(lines.at(-1) ?? "", /"002_orders.sql": it was edited/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("worker takes an order to shipped and the feed tells each step", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  await using worker = shop.start("worker", {
    SHOP_PAYMENT_SECONDS: "0",
    SHOP_PACKING_SECONDS: "0",
  });
  await worker.line(/^worker ready$/);
  await api.order(DRAFT);
  const url = `${api.url}/api/orders/events`;
  const seen: string[] = [];
  for await (const { data } of readEvents(url, { lastEventId: "0" })) {
    seen.push(data.status);
    if (data.status === "shipped") break;
  }
  assert.deepEqual(seen, ["pending", "paid", "shipped"]);
  await worker.line(/^order 1 pending -> paid \(Grace, 15.60\)$/);
  await worker.line(/^order 1 paid -> shipped/);

  // Somebody who was away misses nothing.
  const later: string[] = [];
  for await (const { data } of readEvents(url, { lastEventId: "1" })) {
    later.push(data.status);
    if (data.status === "shipped") break;
  }
  assert.deepEqual(later, ["paid", "shipped"]);
});

Deno.test("two workers move an order once", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  const env = { SHOP_PAYMENT_SECONDS: "0", SHOP_PACKING_SECONDS: "0" };
  await using left = shop.start("worker", env);
  await using right = shop.start("worker", env);
  await left.line(/^worker ready$/);
  await right.line(/^worker ready$/);
  const last = 10;
  for (let count = 0; count < last; count++) await api.order(DRAFT);
  const url = `${api.url}/api/orders/events`;
  let events = 0;
  for await (const { data } of readEvents(url, { lastEventId: "0" })) {
    events++;
    if (data.order_id === last && data.status === "shipped") break;
  }
  assert.equal(events, 3 * last);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`worker ends with 0 on ${signal}`, async () => {
    await using shop = await TestShop.migrated();
    await using worker = shop.start("worker");
    await worker.line(/^worker ready$/);
    assert.equal(await worker.stop(signal), 0);
    assert.equal(
      worker.lines.at(-1),
      `${signal}: worker stopped after 0 steps`,
    );
  });
}

Deno.test("worker refuses to start before the migrations have run", async () => {
  await using shop = await TestShop.create();
  const { code, lines } = await shop.run("worker");
  assert.equal(code, 1);
  assert.match(lines.join("\n"), /run the migrate task first$/);
});

Deno.test("flaky crashes twice, stays up, and crashes again the next time", async () => {
  await using shop = await TestShop.create();
  for (let series = 0; series < 2; series++) {
    assert.equal((await shop.run("flaky")).code, 1);
    assert.equal((await shop.run("flaky")).code, 1);
    await using flaky = shop.start("flaky", { TASKMUX_RUN_ID: "run-3" });
    await flaky.line(/^calling the carrier, attempt 3 \(run run-3\)$/);
    await flaky.line(/^carrier link up after 2 crashes$/);
    assert.equal(await flaky.stop("SIGINT"), 0);
  }
});

Deno.test("flaky crashes as often as it is told", async () => {
  await using shop = await TestShop.create();
  await using flaky = shop.start("flaky", { FLAKY_CRASHES: "0" });
  await flaky.line(/^carrier link up after 0 crashes$/);
});

Deno.test("report adds up what was sold", async () => {
  await using shop = await TestShop.migrated();
  await using api = await shop.startApi();
  await api.order(DRAFT);
  await api.order({ ...DRAFT, items: [{ product_id: 2, quantity: 1 }] });
  const { code, lines } = await shop.run("report");
  assert.equal(code, 0);
  assert.deepEqual(lines, [
    "Sales report",
    "",
    "status     orders         value",
    "pending         2     20.10 EUR",
    "total           2     20.10 EUR",
    "",
    "best sellers",
    "     3 × Dark chocolate",
    "     1 × Rye bread",
  ]);
});
