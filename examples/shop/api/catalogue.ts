/**
 * What the shop sells, read from the database.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

/** One product as clients see it. */
export interface Product {
  readonly id: number;
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  /** An emoji. */
  readonly picture: string;
  readonly price_cents: number;
  /** Pieces that can still be ordered. */
  readonly stock: number;
}

/** All products, by id. */
export function listProducts(db: DatabaseSync): Product[] {
  return db.prepare("select * from products order by id")
    .all() as unknown as Product[];
}
