/**
 * The `report` task: prints what the shop has sold and exits. Reads only.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { dataFolder, openMigratedDatabase } from "../db/database.ts";

function report(db: DatabaseSync, currency: string): string[] {
  const money = (cents: unknown) =>
    `${(Number(cents) / 100).toFixed(2)} ${currency}`.padStart(14);
  const lines = ["Sales report", "", "status     orders         value"];
  const byStatus = db.prepare(
    `select status, count(*) as orders, sum(total_cents) as cents
     from orders group by status order by status`,
  ).all();
  for (const { status, orders, cents } of byStatus) {
    const label = String(status).padEnd(10);
    lines.push(`${label} ${String(orders).padStart(6)}${money(cents)}`);
  }
  const total = db.prepare(
    "select count(*) as orders, coalesce(sum(total_cents), 0) as cents from orders",
  ).get();
  const orders = String(total?.orders).padStart(6);
  lines.push(`${"total".padEnd(10)} ${orders}${money(total?.cents)}`);
  const bestSellers = db.prepare(
    `select p.name, sum(i.quantity) as sold
     from order_items i join products p on p.id = i.product_id
     group by p.id order by sold desc, p.name limit 5`,
  ).all();
  if (bestSellers.length > 0) lines.push("", "best sellers");
  for (const { name, sold } of bestSellers) {
    lines.push(`${String(sold).padStart(6)} × ${name}`);
  }
  return lines;
}

try {
  using db = openMigratedDatabase(dataFolder());
  const currency = Deno.env.get("SHOP_CURRENCY") || "EUR";
  console.log(report(db, currency).join("\n"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
