/**
 * What a client sends to place an order, checked. All problems are reported at once. Does not look into the database.
 *
 * @module
 */
import { HttpError } from "./http_error.ts";

/** One line of an order to place. */
export interface DraftItem {
  readonly product_id: number;
  readonly quantity: number;
}

/** A valid order to place; each product occurs once. */
export interface OrderDraft {
  readonly customer: string;
  readonly email: string;
  readonly items: readonly DraftItem[];
}

const MAX_TEXT_LENGTH = 200;
const MAX_ITEMS = 50;
const MAX_QUANTITY = 100;
const EMAIL_REGEXP = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/**
 * Checks `body`, the parsed JSON of a request.
 *
 * @throws {HttpError} 422 `invalid_order` naming every field that is wrong.
 */
export function parseOrderDraft(body: unknown): OrderDraft {
  const problems: Record<string, string> = {};
  const fields = isRecord(body) ? body : {};
  const customer = text(fields["customer"]);
  if (customer === null) problems["customer"] = "must be a name";
  const email = text(fields["email"]);
  if (email === null || !EMAIL_REGEXP.test(email)) {
    problems["email"] = "must be an e-mail address";
  }
  const items = parseItems(fields["items"], problems);
  if (customer === null || email === null || Object.keys(problems).length > 0) {
    throw new HttpError(422, "invalid_order", {
      message: "The order is not valid",
      fields: problems,
    });
  }
  return { customer, email, items };
}

function parseItems(
  value: unknown,
  problems: Record<string, string>,
): DraftItem[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_ITEMS) {
    problems["items"] = `must be a list of 1 to ${MAX_ITEMS} items`;
    return [];
  }
  const items: DraftItem[] = [];
  const seen = new Set<number>();
  for (const [index, item] of value.entries()) {
    const { product_id, quantity } = isRecord(item) ? item : {};
    const isProduct = isCount(product_id, Number.MAX_SAFE_INTEGER);
    if (!isProduct) {
      problems[`items[${index}].product_id`] = "must be the id of a product";
    } else if (seen.has(product_id)) {
      problems[`items[${index}].product_id`] = "must not be there twice";
    } else {
      seen.add(product_id);
    }
    if (!isCount(quantity, MAX_QUANTITY)) {
      problems[`items[${index}].quantity`] = `must be 1 to ${MAX_QUANTITY}`;
    } else if (isProduct) {
      items.push({ product_id, quantity });
    }
  }
  return items;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 &&
    value <= max;
}

function text(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const trimmed = value.trim();
  return trimmed.length >= 1 && trimmed.length <= MAX_TEXT_LENGTH
    ? trimmed
    : null;
}
